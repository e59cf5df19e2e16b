# The cmdlets that stand in for Windows' own. Each notes its call, refuses where machine.json's `denied` says so, and fails
# with Windows' own identifiers.
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '', Justification = 'to stand in for them is the purpose')]
param()

function Add-LabCall {
    param([string]$Command, $Bound)
    $arguments = @{}
    foreach ($key in $Bound.Keys) { $arguments[$key] = [string]$Bound[$key] }
    $line = ConvertTo-Json -InputObject @{ command = $Command; arguments = $arguments } -Compress
    [IO.File]::AppendAllText([IO.Path]::Combine($TentacleLab.Folder, 'commands.log'), $line + "`n")
}

function Test-LabDenied {
    param([string[]]$What)
    foreach ($word in $What) { if (@($TentacleLab.Machine.denied) -contains $word) { return $true } }
    $false
}

# An optional key of machine.json, or what a healthy machine has.
function Get-LabValue {
    param([string]$Name, $Default)
    if ($null -ne $TentacleLab.Machine.$Name) { $TentacleLab.Machine.$Name } else { $Default }
}

function New-LabError {
    param([string]$Id, [string]$Category, $Exception)
    New-Object Management.Automation.ErrorRecord ($Exception, $Id, [Management.Automation.ErrorCategory]$Category, $null)
}

# WMI refuses with WBEM_E_ACCESS_DENIED (0x80041003), its newer provider interface with MI result 2.
function New-LabCimDenial {
    param([string]$Id)
    New-LabError -Id $Id -Category PermissionDenied -Exception (New-Object Microsoft.Management.Infrastructure.CimException (Get-LabText 'Denied'))
}

function Get-CimInstance {
    [CmdletBinding()]
    param([string]$ClassName, [string]$Namespace, [string]$Filter, [string[]]$Property, [uint32]$OperationTimeoutSec)
    Add-LabCall 'Get-CimInstance' $PSBoundParameters
    $subject = @{ Win32_Service = 'services'; Win32_Process = 'processes'; Win32_OperatingSystem = 'host'; Win32_NetworkAdapterConfiguration = 'addresses'
        Win32_Volume = @('disks', 'volumes'); Win32_LogicalDisk = 'disks'; Win32_UserAccount = 'accounts' }[$ClassName]
    if (Test-LabDenied (@('cim') + $subject)) { $PSCmdlet.WriteError((New-LabCimDenial 'HRESULT 0x80041003')); return }
    $machine = $TentacleLab.Machine
    $rows = switch ($ClassName) {
        'Win32_Service' { @($machine.services | Where-Object { $_ } | ForEach-Object { New-ServiceShape $_ }) }
        'Win32_Process' { @($machine.processes | Where-Object { $_ } | ForEach-Object { New-ProcessShape $_ }) }
        'Win32_OperatingSystem' { New-OperatingSystemShape }
        'Win32_NetworkAdapterConfiguration' { New-AdapterShape }
        'Win32_Volume' { Get-LabDisk | ForEach-Object { New-VolumeShape $_ } }
        'Win32_LogicalDisk' { Get-LabDisk | Where-Object { $_.path -match '^\w:\\$' } | ForEach-Object { New-LogicalDiskShape $_ } }
        'Win32_UserAccount' { New-UserAccountShape }
        default {
            # WBEM_E_INVALID_CLASS
            $unknown = New-Object Microsoft.Management.Infrastructure.CimException "Invalid class $ClassName in $Namespace"
            $PSCmdlet.WriteError((New-LabError -Id 'HRESULT 0x80041010' -Category MetadataError -Exception $unknown))
        }
    }
    foreach ($row in @($rows | Where-Object { $_ })) {
        if (-not (Test-LabFilter -Row $row -Filter $Filter)) { continue }
        # Properties that were not asked for are there, and null.
        if ($Property) { foreach ($member in @($row.PSObject.Properties)) { if ($Property -notcontains $member.Name) { $member.Value = $null } } }
        $row
    }
}

# As much of WQL as the scripts use: LIKE and = joined by OR, or by AND; backslash and quote come with a backslash before them.
function Test-LabFilter {
    param($Row, [string]$Filter)
    if (-not $Filter) { return $true }
    $isAnd = $Filter -match "(?i)'\s+AND\s+\w+ ="
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

function Get-Service {
    [CmdletBinding()]
    param([string]$Name = '*')
    Add-LabCall 'Get-Service' $PSBoundParameters
    if (Test-LabDenied 'services') {
        $refusal = New-Object InvalidOperationException ((Get-LabText 'Denied'), (New-Object ComponentModel.Win32Exception (5, (Get-LabText 'Denied'))))
        $PSCmdlet.ThrowTerminatingError((New-LabError -Id 'System.InvalidOperationException' -Category NotSpecified -Exception $refusal))
    }
    # The firewall's own service is there when it is asked for by name.
    if ($Name -eq 'MpsSvc') { return (New-ControllerShape ([pscustomobject]@{ name = 'MpsSvc'; state = Get-LabValue 'firewall_service' 'running' })) }
    $TentacleLab.Machine.services | Where-Object { $_ -and $_.name -like $Name } | ForEach-Object { New-ControllerShape $_ }
}

function Get-Process {
    [CmdletBinding()]
    param([int[]]$Id)
    Add-LabCall 'Get-Process' $PSBoundParameters
    foreach ($process in @($TentacleLab.Machine.processes | Where-Object { $_ })) {
        if ($Id -and $Id -notcontains $process.pid) { continue }
        [pscustomobject]@{
            Id = [int]$process.pid; ProcessName = [IO.Path]::GetFileNameWithoutExtension([string]$process.name)
            StartTime = ConvertTo-LabTime $process.started_utc
        }
    }
}

function Get-NetTCPConnection {
    [CmdletBinding()]
    [OutputType([object[]])]
    param([string[]]$State, [uint16[]]$LocalPort, [uint16[]]$RemotePort)
    Add-LabCall 'Get-NetTCPConnection' $PSBoundParameters
    if (Test-LabDenied 'sockets') { $PSCmdlet.WriteError((New-LabCimDenial 'MI RESULT 2')); return }
    $numbers = @{ Listen = 2; Established = 5; CloseWait = 8 }
    $wanted = @($State | Where-Object { $_ } | ForEach-Object { $numbers[$_] })
    $rows = @($TentacleLab.Machine.sockets | Where-Object { $_ } | ForEach-Object { New-ConnectionShape $_ } |
        Where-Object { (-not $State -or $wanted -contains [int]$_.State) -and (-not $LocalPort -or $LocalPort -contains $_.LocalPort) -and
            (-not $RemotePort -or $RemotePort -contains $_.RemotePort) })
    if (-not $rows.Count) {
        $none = New-Object Microsoft.Management.Infrastructure.CimException 'No matching MSFT_NetTCPConnection objects found'
        $PSCmdlet.WriteError((New-LabError -Id 'CmdletizationQuery_NotFound_State' -Category ObjectNotFound -Exception $none))
    }
    $rows
}

function Get-NetIPAddress {
    [CmdletBinding()]
    param()
    Add-LabCall 'Get-NetIPAddress' $PSBoundParameters
    if (Test-LabDenied 'addresses') { $PSCmdlet.WriteError((New-LabCimDenial 'MI RESULT 2')); return }
    foreach ($address in @('127.0.0.1', '::1') + @($TentacleLab.Machine.addresses)) {
        [pscustomobject]@{
            IPAddress = [string]$address; InterfaceAlias = 'Ethernet0'; AddressFamily = [uint16]$(if ($address -match ':') { 23 } else { 2 })
            PrefixLength = [byte]8; PrefixOrigin = [uint16]1; AddressState = [uint16]4
        }
    }
}

# The program by its full path: a function may bear such a name.
function C:\Windows\System32\netstat.exe {
    Add-LabCall 'netstat.exe' @{ arguments = "$args" }
    if (Test-LabDenied 'netstat') { return }
    ''
    Get-LabText 'Head'
    ''
    Get-LabText 'Columns'
    $TentacleLab.Machine.sockets | Where-Object { $_ -and $_.state -ne 'bound' } | ForEach-Object { New-NetstatLine $_ }
    '  UDP    0.0.0.0:123            *:*                                    1440'
}
