# What stands around the products on a lab machine: disks, accounts, versions, networks, TLS, tasks and events.
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '', Justification = 'to stand in for them is the purpose')]
param()

# Volumes of machine.json's `disks`, or one drive with room.
function Get-LabDisk {
    $own = @(Get-LabValue 'disks' @())
    if ($own.Count) { $own } else { [pscustomobject]@{ path = 'C:\'; free_bytes = 64424509440; size_bytes = 136365211648 } }
}

# Win32_Volume and Win32_LogicalDisk (9): uint64, null where the volume is locked.
function New-VolumeShape {
    param($Disk)
    [pscustomobject]@{
        Name = [string]$Disk.path; DriveLetter = $(if ($Disk.path -match '^\w:\\$') { $Disk.path.Substring(0, 2) } else { $null }); DriveType = [uint32]3
        FreeSpace = $(if ($null -ne $Disk.free_bytes) { [uint64]$Disk.free_bytes } else { $null })
        Capacity = $(if ($null -ne $Disk.size_bytes) { [uint64]$Disk.size_bytes } else { $null })
    }
}

function New-LogicalDiskShape {
    param($Disk)
    [pscustomobject]@{
        DeviceID = $Disk.path.Substring(0, 2); DriveType = [uint32]3; FileSystem = 'NTFS'
        FreeSpace = $(if ($null -ne $Disk.free_bytes) { [uint64]$Disk.free_bytes } else { $null })
        Size = $(if ($null -ne $Disk.size_bytes) { [uint64]$Disk.size_bytes } else { $null })
    }
}

# Win32_UserAccount: machine.json's `accounts`, from `DOMAIN\user` to SID, or one for each service's account that is not Windows' own.
function New-UserAccountShape {
    $sids = @{}
    $number = 1105
    foreach ($service in @($TentacleLab.Machine.services | Where-Object { $_ -and $_.account -match '\\' -and $_.account -notmatch '^(?i)NT ' })) {
        $sids[[string]$service.account] = "S-1-5-21-1111-2222-3333-$number"
        $number++
    }
    if ($TentacleLab.Machine.accounts) { foreach ($account in $TentacleLab.Machine.accounts.PSObject.Properties) { $sids[$account.Name] = $account.Value } }
    foreach ($name in $sids.Keys) {
        $domain, $user = $name -split '\\', 2
        if ($sids[$name]) { [pscustomobject]@{ Domain = $(if ($domain -eq '.') { $env:COMPUTERNAME } else { $domain }); Name = $user; SID = [string]$sids[$name] } }
    }
}

# FileVersionInfo: machine.json's `versions`, from path to what the product calls itself, or today's.
function New-VersionShape {
    param([string]$Path)
    $own = if ($TentacleLab.Machine.versions) { $TentacleLab.Machine.versions.$Path } else { $null }
    $version = if ($null -ne $own) { [string]$own } elseif ($Path -match '(?i)Octopus\.Server\.exe$') { '2025.3.14357' } else { '8.3.2941' }
    [pscustomobject]@{ ProductVersion = $(if ($version) { "$version+Branch.main.Sha.0123456789abcdef" } else { '' }); FileVersion = $(if ($version) { "$version.0" } else { '' }) }
}

# MSFT_NetConnectionProfile (3.1): 0 public, 1 private, 2 of a domain.
function Get-NetConnectionProfile {
    [CmdletBinding()]
    param()
    Add-LabCall 'Get-NetConnectionProfile' $PSBoundParameters
    if (Test-LabDenied 'networks') { $PSCmdlet.WriteError((New-LabCimDenial 'MI RESULT 2')); return }
    $numbers = @{ public = 0; private = 1; domain = 2 }
    foreach ($network in @(Get-LabValue 'networks' @('domain'))) {
        [pscustomobject]@{ InterfaceAlias = 'Ethernet0'; Name = 'lab.example'; NetworkCategory = [uint32]$numbers[[string]$network]; IPv4Connectivity = [uint32]4 }
    }
}

# Module TLS (5.2), of Windows Server 2016 and later; `tls: {"cmdlets": false}` is a machine without it.
function Assert-LabTlsModule {
    param($Cmdlet)
    if ($TentacleLab.Machine.tls -and $TentacleLab.Machine.tls.cmdlets -eq $false) {
        $missing = New-Object Management.Automation.CommandNotFoundException $Cmdlet.MyInvocation.MyCommand.Name
        $Cmdlet.ThrowTerminatingError((New-LabError -Id 'CommandNotFoundException' -Category ObjectNotFound -Exception $missing))
    }
}

function Get-LabTlsList {
    param([string]$Name, [string[]]$Default)
    $own = if ($TentacleLab.Machine.tls) { $TentacleLab.Machine.tls.$Name } else { $null }
    if ($null -ne $own) { @($own) } else { $Default }
}

function Get-TlsCipherSuite {
    [CmdletBinding()]
    param()
    Add-LabCall 'Get-TlsCipherSuite' $PSBoundParameters
    Assert-LabTlsModule $PSCmdlet
    $default = 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_RSA_WITH_AES_256_GCM_SHA384', 'TLS_RSA_WITH_AES_128_GCM_SHA256'
    foreach ($name in (Get-LabTlsList 'cipher_suites' $default)) { [pscustomobject]@{ Name = [string]$name; Protocols = [uint32[]]@(771); Certificate = 'RSA' } }
}

function Get-TlsEccCurve {
    [CmdletBinding()]
    param()
    Add-LabCall 'Get-TlsEccCurve' $PSBoundParameters
    Assert-LabTlsModule $PSCmdlet
    Get-LabTlsList 'curves' @('curve25519', 'NistP256', 'NistP384')
}

# Tasks of machine.json's `tasks` (9): {"name", "state": disabled|ready|running, "last_result"}.
function Get-ScheduledTask {
    [CmdletBinding()]
    param([string]$TaskName)
    Add-LabCall 'Get-ScheduledTask' $PSBoundParameters
    if (Test-LabDenied 'tasks') { $PSCmdlet.WriteError((New-LabCimDenial 'HRESULT 0x80070005')); return }
    $numbers = @{ disabled = 1; queued = 2; ready = 3; running = 4 }
    foreach ($task in @(Get-LabValue 'tasks' @() | Where-Object { $_ -and $_.name -like $TaskName })) {
        [pscustomobject]@{ TaskName = [string]$task.name; TaskPath = '\'; State = [uint32]$numbers[[string]$task.state]; LastTaskResult = $task.last_result }
    }
}

function Get-ScheduledTaskInfo {
    [CmdletBinding()]
    param($InputObject)
    Add-LabCall 'Get-ScheduledTaskInfo' @{ TaskName = $InputObject.TaskName }
    [pscustomobject]@{ TaskName = $InputObject.TaskName; LastTaskResult = [uint32]$(if ($null -ne $InputObject.LastTaskResult) { $InputObject.LastTaskResult } else { 0 }) }
}

# Entries of machine.json's `events`: {"provider", "id", "time_utc", "data": {name: text}, "service", "in_user_data"}. The newest
# come first; nothing found is an error (1.5).
function Get-WinEvent {
    [CmdletBinding()]
    [OutputType([object[]])]
    param([hashtable]$FilterHashtable, [long]$MaxEvents)
    Add-LabCall 'Get-WinEvent' @{ ProviderName = $FilterHashtable.ProviderName; MaxEvents = $MaxEvents }
    if (Test-LabDenied 'events') {
        $refusal = New-Object UnauthorizedAccessException (Get-LabText 'Denied')
        $PSCmdlet.ThrowTerminatingError((New-LabError -Id 'System.UnauthorizedAccessException' -Category PermissionDenied -Exception $refusal))
    }
    $records = @(Get-LabValue 'events' @() | Where-Object { $_ } | ForEach-Object { New-EventShape $_ } | Where-Object {
            $_.ProviderName -eq $FilterHashtable.ProviderName -and $FilterHashtable.Id -contains $_.Id -and $_.TimeCreated -ge $FilterHashtable.StartTime
        } | Sort-Object -Property TimeCreated -Descending | Select-Object -First $MaxEvents)
    if (-not $records.Count) {
        $none = New-Object Exception 'No events were found that match the specified selection criteria.'
        $PSCmdlet.WriteError((New-LabError -Id 'NoMatchingEventsFound' -Category ObjectNotFound -Exception $none))
    }
    $records
}

# EventLogRecord: the XML has the fields' names, and the service's key name in UTF-16 digits (1.5, 5.3).
function New-EventShape {
    param($Entry)
    $body = ''
    if ($Entry.data) {
        foreach ($field in $Entry.data.PSObject.Properties) {
            $text = [Security.SecurityElement]::Escape([string]$field.Value)
            $body += if ($Entry.in_user_data) { "<$($field.Name)>$text</$($field.Name)>" } else { "<Data Name='$($field.Name)'>$text</Data>" }
        }
    }
    if ($Entry.service) {
        $digits = [BitConverter]::ToString([Text.Encoding]::Unicode.GetBytes([string]$Entry.service + [char]0)).Replace('-', '')
        $body += "<Binary>$digits</Binary>"
    }
    $body = if ($Entry.in_user_data) { "<UserData><EventXML xmlns='LSA_NS'>$body</EventXML></UserData>" } else { "<EventData>$body</EventData>" }
    $time = if ($Entry.time_utc) { ConvertTo-LabTime $Entry.time_utc } else { [datetime]::Now.AddHours(-1) }
    $xml = "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='$($Entry.provider)'/><EventID>$($Entry.id)</EventID></System>$body</Event>"
    $record = [pscustomobject]@{ Id = [int]$Entry.id; ProviderName = [string]$Entry.provider; TimeCreated = $time; Xml = $xml }
    Add-Member -InputObject $record -MemberType ScriptMethod -Name ToXml -Value { $this.Xml } -PassThru
}
