# HKLM: as a table from key to values, and Get-Item with its kin, which read there and else pass on to the engine's own.
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '', Justification = 'to stand in for them is the purpose')]
param()

# Keys that every Windows has, those of the machine's services, and whatever machine.json's `registry` adds.
function Initialize-LabRegistry {
    $machine = $TentacleLab.Machine
    $TentacleLab.Registry['HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters'] = @{ Hostname = [string]$machine.hostname; Domain = 'lab.example' }
    $TentacleLab.Registry['HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full'] = @{ Release = [int]528049; Version = '4.8.03761' }
    $TentacleLab.Registry['HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'] = @{
        ProductName = 'Windows Server 2019 Standard'; CurrentBuild = '17763'; CurrentMajorVersionNumber = [int]10; CurrentMinorVersionNumber = [int]0; UBR = [int]720
    }
    $TentacleLab.Registry['HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'] = @{ OS = 'Windows_NT' }
    $starts = @{ auto = 2; manual = 3; disabled = 4 }
    foreach ($service in @($machine.services | Where-Object { $_ })) {
        $values = @{ ImagePath = [string]$service.command; Start = [int]$starts[[string]$service.start_mode]; ObjectName = Get-LabAccount ([string]$service.account) }
        if ($service.environment) {
            $values['Environment'] = [string[]]@($service.environment.PSObject.Properties | ForEach-Object { "$($_.Name)=$($_.Value)" })
        }
        $TentacleLab.Registry["HKLM:\SYSTEM\CurrentControlSet\Services\$($service.name)"] = $values
    }
    if (-not $machine.registry) { return }
    foreach ($key in $machine.registry.PSObject.Properties) {
        $values = @{}
        foreach ($value in $key.Value.PSObject.Properties) { $values[$value.Name] = $value.Value }
        $TentacleLab.Registry[$key.Name] = $values
    }
}

function Test-LabRegistryPath {
    param([string]$Path)
    $Path -match '^(?i)HKLM:'
}

# Refused keys throw as .NET does, missing ones as PowerShell's provider.
function Get-LabRegistryFailure {
    param([string]$Path)
    if ((Test-LabDenied 'registry') -or ($Path -match '\\Services\\' -and $Path -notmatch '\\Tcpip\\' -and (Test-LabDenied 'services'))) {
        return New-LabError -Id 'System.Security.SecurityException' -Category PermissionDenied -Exception (New-Object Security.SecurityException (Get-LabText 'Denied'))
    }
    if (-not $TentacleLab.Registry.ContainsKey($Path) -and -not @(Get-LabSubkey $Path).Count) {
        $missing = New-Object Management.Automation.ItemNotFoundException "Cannot find path '$Path' because it does not exist."
        return New-LabError -Id 'PathNotFound' -Category ObjectNotFound -Exception $missing
    }
}

function Get-LabSubkey {
    param([string]$Path)
    $names = foreach ($key in $TentacleLab.Registry.Keys) {
        if ($key.StartsWith("$Path\", [StringComparison]::OrdinalIgnoreCase)) { ($key.Substring($Path.Length + 1) -split '\\')[0] }
    }
    @($names | Sort-Object -Unique)
}

function Get-ItemProperty {
    [CmdletBinding()]
    param([string]$LiteralPath, [string]$Name)
    Add-LabCall 'Get-ItemProperty' $PSBoundParameters
    if (-not (Test-LabRegistryPath $LiteralPath)) { return Microsoft.PowerShell.Management\Get-ItemProperty @PSBoundParameters }
    $failure = Get-LabRegistryFailure $LiteralPath
    if ($failure) { $PSCmdlet.WriteError($failure); return }
    $values = @{}
    foreach ($key in @($TentacleLab.Registry[$LiteralPath].Keys)) { $values[$key] = $TentacleLab.Registry[$LiteralPath][$key] }
    [pscustomobject]$values
}

function Get-ChildItem {
    [CmdletBinding()]
    param([string]$LiteralPath, [string]$Filter)
    Add-LabCall 'Get-ChildItem' $PSBoundParameters
    if (-not (Test-LabRegistryPath $LiteralPath)) {
        if (Test-LabDenied 'instances') {
            $refusal = New-Object UnauthorizedAccessException (Get-LabText 'Denied')
            $PSCmdlet.WriteError((New-LabError -Id 'DirUnauthorizedAccessError' -Category PermissionDenied -Exception $refusal))
            return
        }
        return Microsoft.PowerShell.Management\Get-ChildItem @PSBoundParameters
    }
    $failure = Get-LabRegistryFailure $LiteralPath
    if ($failure) { $PSCmdlet.WriteError($failure); return }
    foreach ($name in (Get-LabSubkey $LiteralPath)) { [pscustomobject]@{ PSChildName = $name; Name = "$LiteralPath\$name" } }
}

function Test-Path {
    [CmdletBinding()]
    [OutputType([bool])]
    param([string]$LiteralPath)
    Add-LabCall 'Test-Path' $PSBoundParameters
    if (-not (Test-LabRegistryPath $LiteralPath)) { return Microsoft.PowerShell.Management\Test-Path @PSBoundParameters }
    -not (Get-LabRegistryFailure $LiteralPath)
}

# A file that may be seen but not opened: the item is there, opening it is refused.
function Get-Item {
    [CmdletBinding()]
    param([string]$LiteralPath, [switch]$Force)
    Add-LabCall 'Get-Item' $PSBoundParameters
    $item = Microsoft.PowerShell.Management\Get-Item @PSBoundParameters
    if (-not (Test-LabDenied 'configuration') -or -not $item) { return $item }
    $refused = [pscustomobject]@{ FullName = $item.FullName; Name = $item.Name; Length = $item.Length; LastWriteTimeUtc = $item.LastWriteTimeUtc }
    Add-Member -InputObject $refused -MemberType ScriptMethod -Name Open -Value { throw (New-Object UnauthorizedAccessException (Get-LabText 'Denied')) } -PassThru
}

Initialize-LabRegistry
