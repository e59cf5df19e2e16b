# The cmdlets that stand in for WMI, services and processes. Each notes its call, and answers as the rows of
# tests/lab/windows/conformance.yaml say.
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '', Justification = 'to stand in for them is the purpose')]
param()

$LabCim = 'Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand'

$LabClassWords = @{
    Win32_Service = 'services'; Win32_Process = 'processes'; Win32_OperatingSystem = 'host'; Win32_NetworkAdapterConfiguration = 'addresses'
    Win32_Volume = @('disks', 'volumes'); Win32_LogicalDisk = 'disks'; Win32_UserAccount = 'accounts'; MSCluster_Resource = 'cluster'
}

function Get-CimInstance {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string]$ClassName, [string]$Namespace = 'root/cimv2', [string]$Filter, [string[]]$Property, [uint32]$OperationTimeoutSec)
    Add-LabCall 'Get-CimInstance' $PSBoundParameters
    $what = @('cim', $ClassName) + $LabClassWords[$ClassName]
    $target = "$($Namespace.Replace('/', '\')):$ClassName"
    if (Test-LabDenied $what) {
        $PSCmdlet.WriteError((New-LabCimError -Id 'HRESULT 0x80041003' -Class $LabCim -Category PermissionDenied -Text (Get-LabText 'Denied') -Target $target))
        return
    }
    if (Test-LabMode -Mode 'stopped' -What $what) {
        $PSCmdlet.WriteError((New-LabCimError -Id 'HRESULT 0x800706ba' -Class $LabCim -Category NotSpecified -Text (Get-LabText 'NoServer') -Target $target))
        return
    }
    if (-not $LabClassWords.ContainsKey($ClassName) -or (Test-LabMode -Mode 'damaged' -What $what)) {
        $PSCmdlet.WriteError((New-LabCimError -Id 'HRESULT 0x80041010' -Class $LabCim -Category MetadataError -Text (Get-LabText 'NoClass') -Target $target))
        return
    }
    if (Wait-LabProvider -What $what -Seconds $OperationTimeoutSec) {
        $PSCmdlet.WriteError((New-LabCimError -Id 'HRESULT 0x40004' -Class $LabCim -Category OperationTimeout -Text 'Timed out' -Target $target))
        return
    }
    if ($ClassName -eq 'MSCluster_Resource' -and -not $TentacleLab.Machine.cluster) {
        $PSCmdlet.WriteError((New-LabCimError -Id 'HRESULT 0x8004100e' -Class $LabCim -Category ObjectNotFound -Text 'Invalid namespace' -Target $target))
        return
    }
    $half = Test-LabMode -Mode 'half' -What $what
    $count = 0
    foreach ($row in @(Get-LabCimRow $ClassName)) {
        if (-not (Test-LabFilter -Row $row -Filter $Filter)) { continue }
        # Properties that were not asked for are there, and null.
        if ($Property) { foreach ($member in @($row.PSObject.Properties)) { if ($Property -notcontains $member.Name) { $member.Value = $null } } }
        foreach ($extra in 'PSComputerName', 'CimClass', 'CimInstanceProperties', 'CimSystemProperties') {
            $row.PSObject.Properties.Add((New-Object Management.Automation.PSNoteProperty $extra, $(if ($extra -eq 'CimClass') { $target } else { $null })))
        }
        $count++
        if ($half -and $count -gt 1) { break }
        $row
    }
    if ($half) { $PSCmdlet.WriteError((New-LabCimError -Id 'HRESULT 0x40004' -Class $LabCim -Category OperationTimeout -Text 'Timed out' -Target $target)) }
}

function Get-LabCimRow {
    param([string]$ClassName)
    $machine = $TentacleLab.Machine
    switch ($ClassName) {
        'Win32_Service' { @($machine.services | Where-Object { $_ } | ForEach-Object { New-ServiceShape $_ }) }
        'Win32_Process' { Get-LabProcess | ForEach-Object { New-ProcessShape $_ } }
        'Win32_OperatingSystem' { New-OperatingSystemShape }
        'Win32_NetworkAdapterConfiguration' { New-AdapterShape }
        'Win32_Volume' { Get-LabDisk | ForEach-Object { New-VolumeShape $_ } }
        'Win32_LogicalDisk' { Get-LabDisk | Where-Object { $_.path -match '^\w:\\$' } | ForEach-Object { New-LogicalDiskShape $_ } }
        'MSCluster_Resource' { @($machine.cluster | Where-Object { $_ }) | ForEach-Object { New-ClusterResourceShape $_ } }
        # The domain's part is not there: credentials do not travel (2.6); computer accounts and gMSA are no users.
        'Win32_UserAccount' { New-UserAccountShape | Where-Object { $_.LocalAccount } }
    }
}

# Every Windows has Idle and System, of whose beginning nobody knows (2.6).
function Get-LabProcess {
    $own = @($TentacleLab.Machine.processes | Where-Object { $_ })
    foreach ($process in @{ pid = 0; name = 'System Idle Process' }, @{ pid = 4; name = 'System'; parent_pid = 0 }) {
        if (@($own | ForEach-Object { $_.pid }) -notcontains $process.pid) { [pscustomobject]$process }
    }
    $own
}

# As much of WQL as the scripts use: LIKE and = joined by OR, or by AND; backslash and quote come with a backslash before them.
function Test-LabFilter {
    param($Row, [string]$Filter)
    if (-not $Filter) { return $true }
    $isAnd = $Filter -match "(?i)\sAND\s+\w+ ="
    foreach ($term in ($Filter -split '(?i)\s+(?:OR|AND)\s+')) {
        if ($term -match "(?i)^\s*(\w+)\s+LIKE\s+'([^']*)'\s*$") {
            $fits = [string]$Row.($Matches[1]) -like $Matches[2].Replace('%', '*')
        } elseif ($term -match "(?i)^\s*(\w+)\s*=\s*'?((?:[^'\\]|\\.)*?)'?\s*$") {
            $fits = [string]$Row.($Matches[1]) -eq ($Matches[2] -replace '\\(.)', '$1')
        } else {
            throw "the lab does not know this filter: $term"
        }
        if ($fits -ne $isAnd) { return $fits }
    }
    $isAnd
}

# Win32_Process.GetOwnerSid (8b): 0, or 2 where access is denied, as for protected processes.
function Invoke-CimMethod {
    [CmdletBinding()]
    param($InputObject, [string]$MethodName, [uint32]$OperationTimeoutSec)
    Add-LabCall 'Invoke-CimMethod' @{ MethodName = $MethodName; ProcessId = $InputObject.ProcessId; OperationTimeoutSec = $OperationTimeoutSec }
    $null = Wait-LabProvider -What 'cim', 'Invoke-CimMethod' -Seconds $OperationTimeoutSec
    $process = @($TentacleLab.Machine.processes | Where-Object { $_ -and $_.pid -eq $InputObject.ProcessId })[0]
    $service = @($TentacleLab.Machine.services | Where-Object { $_ -and $_.pid -eq $InputObject.ProcessId })[0]
    $sid = if ($process -and $process.sid) { [string]$process.sid } elseif ($service) { Get-LabAccountSid ([string]$service.account) } else { $null }
    if (-not $sid -or ($process -and $process.protected)) { return [pscustomobject]@{ Sid = $null; ReturnValue = [uint32]2; PSComputerName = $null } }
    [pscustomobject]@{ Sid = $sid; ReturnValue = [uint32]0; PSComputerName = $null }
}

# All of them, sorted by key name; who may not list them gets none, whatever he asks for (2.7).
function Get-Service {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Name)
    Add-LabCall 'Get-Service' $PSBoundParameters
    if (Test-LabDenied 'services') {
        $refusal = New-Object InvalidOperationException ((Get-LabText 'Denied'), (New-Object ComponentModel.Win32Exception (5, (Get-LabText 'Denied'))))
        $PSCmdlet.ThrowTerminatingError((New-LabUnhandled -Exception $refusal -Class 'GetServiceCommand'))
    }
    if (Wait-LabProvider -What 'Get-Service' -Seconds 0) { return }
    $windows = @{ name = 'EventLog'; state = 'running' }, @{ name = 'MpsSvc'; state = Get-LabValue 'firewall_service' 'running' }, @{ name = 'Schedule'; state = 'running' }
    $all = @($windows | ForEach-Object { [pscustomobject]$_ }) + @($TentacleLab.Machine.services | Where-Object { $_ })
    if ($TentacleLab.Machine.cluster) { $all += [pscustomobject]@{ name = 'ClusSvc'; state = 'running' } }
    $all = @($all | Sort-Object -Property name)
    if (-not $Name) { return ($all | ForEach-Object { New-ControllerShape $_ }) }
    foreach ($pattern in $Name) {
        $found = @($all | Where-Object { $_.name -like $pattern })
        $found | ForEach-Object { New-ControllerShape $_ }
        if (-not $found.Count -and -not [Management.Automation.WildcardPattern]::ContainsWildcardCharacters($pattern)) {
            $missing = New-Object LabServiceException ((Get-LabText 'NoService') -f $pattern)
            $PSCmdlet.WriteError((New-LabError -Id 'NoServiceFoundForGivenName' -Class "$LabCommands.GetServiceCommand" -Category ObjectNotFound -Exception $missing -Target $pattern -Reason 'ServiceCommandException'))
        }
    }
}

# Of a protected process neither beginning nor path can be read: null, and no error (2.8).
function Get-Process {
    [CmdletBinding()]
    param([int[]]$Id)
    Add-LabCall 'Get-Process' $PSBoundParameters
    $all = @(Get-LabProcess)
    foreach ($process in $all) {
        if ($PSBoundParameters.ContainsKey('Id') -and $Id -notcontains $process.pid) { continue }
        $hidden = $process.protected -or $process.pid -lt 5
        [pscustomobject]@{
            Id = [int]$process.pid; ProcessName = [IO.Path]::GetFileNameWithoutExtension([string]$process.name)
            StartTime = $(if ($hidden) { $null } else { ConvertTo-LabTime $process.started_utc })
            Path = $(if ($hidden -or -not $process.executable) { $null } else { [string]$process.executable })
        }
    }
    foreach ($wanted in @($Id | Where-Object { $null -ne $_ })) {
        if (@($all | ForEach-Object { $_.pid }) -contains $wanted) { continue }
        $missing = New-Object LabProcessException ((Get-LabText 'NoProcess') -f $wanted)
        $PSCmdlet.WriteError((New-LabError -Id 'NoProcessFoundForGivenId' -Class "$LabCommands.GetProcessCommand" -Category ObjectNotFound -Exception $missing -Target $wanted -Reason 'ProcessCommandException'))
    }
}
