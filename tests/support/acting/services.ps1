# Windows' commands that change a service, for a lab machine: they change machine.json, as later calls see it. What
# `dies_again` holds is written to the service's log when it is started, and it is stopped again.
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '', Justification = 'to stand in for them is the purpose')]
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '', Justification = 'a stand-in')]
param()

function Edit-LabService {
    param([string]$Name, [hashtable]$Value)
    $machine = Get-Content -LiteralPath $env:TENTACLE_LAB_MACHINE -Raw -Encoding UTF8 | ConvertFrom-Json
    foreach ($service in @($machine.services)) {
        if ($service.name -ne $Name) { continue }
        foreach ($key in $Value.Keys) { $service.$key = $Value[$key] }
    }
    [IO.File]::WriteAllText($env:TENTACLE_LAB_MACHINE, (ConvertTo-Json -InputObject $machine -Depth 20))
    $TentacleLab.Machine = $machine
}

function Start-LabService {
    param([string]$Name, [string]$Command)
    Add-LabCall $Command @{ Name = $Name }
    $service = @($TentacleLab.Machine.services | Where-Object { $_.name -eq $Name })[0]
    if ($service.start_mode -eq 'disabled') { throw "Service '$Name' cannot be started: it is disabled." }
    $dies = @($TentacleLab.Machine.dies_again | Where-Object { $_ })
    if ($dies.Count) {
        $log = [IO.Path]::Combine($TentacleLab.Folder, 'files', 'C', 'Octopus', 'Logs', 'OctopusTentacle.txt')
        $null = [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($log))
        [IO.File]::AppendAllText($log, ($dies -join "`r`n") + "`r`n")
        Edit-LabService $Name @{ state = 'stopped'; exit_code = 1067 }
    } else {
        Edit-LabService $Name @{ state = 'running'; pid = [int]$service.pid + 1000 }
    }
}

function Restart-Service {
    [CmdletBinding()]
    param($InputObject, [string]$Name)
    Start-LabService $(if ($InputObject) { $InputObject.Name } else { $Name }) 'Restart-Service'
}

function Start-Service {
    [CmdletBinding()]
    param($InputObject, [string]$Name)
    Start-LabService $(if ($InputObject) { $InputObject.Name } else { $Name }) 'Start-Service'
}

function Set-Service {
    [CmdletBinding()]
    param([string]$Name, [string]$StartupType)
    Add-LabCall 'Set-Service' $PSBoundParameters
    Edit-LabService $Name @{ start_mode = @{ Automatic = 'auto'; Manual = 'manual'; Disabled = 'disabled' }[$StartupType] }
}
