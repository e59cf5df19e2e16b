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

# machine.json's `accounts`, from `DOMAIN\user` to SID, and one for each service's account that is not Windows' own. Local
# are those of this machine; a domain controller has none. Windows' own accounts are in no list of users.
function New-UserAccountShape {
    $sids = $TentacleLab.Sids
    foreach ($name in $sids.Keys) {
        $domain, $user = $name -split '\\', 2
        if ($domain -eq 'NT SERVICE') { continue }
        if (-not $sids[$name] -or $user.EndsWith('$')) { continue }
        $local = ($domain -eq '.' -or $domain -eq $env:COMPUTERNAME) -and -not (Test-LabRole 'domain-controller')
        [pscustomobject]@{ Domain = $(if ($domain -eq '.') { $env:COMPUTERNAME } else { $domain }); Name = $user; SID = [string]$sids[$name]; LocalAccount = $local; AccountType = [uint32]512 }
    }
}

# The SID that a service runs under, whatever its account is called (accounts.py); empty where nobody knows it.
function Get-LabAccountSid {
    param([string]$Account)
    if (-not $Account -or $Account -match '(?i)^(\.\\)?LocalSystem$') { return 'S-1-5-18' }
    if ($Account -match '(?i)\\(Local ?Service|LOKALER DIENST)$') { return 'S-1-5-19' }
    if ($Account -match '(?i)\\(Network ?Service|NETZWERKDIENST)$') { return 'S-1-5-20' }
    [string]$TentacleLab.Sids[$Account]
}

# FileVersionInfo: machine.json's `versions`, from path to what the product calls itself, or today's.
function New-VersionShape {
    param([string]$Path)
    $own = if ($TentacleLab.Machine.versions) { $TentacleLab.Machine.versions.$Path } else { $null }
    $version = if ($null -ne $own) { [string]$own } elseif ($Path -match '(?i)Octopus\.Server\.exe$') { '2025.3.14357' } else { '8.3.2941' }
    [pscustomobject]@{ ProductVersion = $(if ($version) { "$version+Branch.main.Sha.0123456789abcdef" } else { '' }); FileVersion = $(if ($version) { "$version.0" } else { '' }) }
}

# Module TLS (5.2), of Windows Server 2016 and later; `tls: {"cmdlets": false}` or build 9600 is a machine without it.
function Get-LabTlsList {
    param([string]$Name, [string[]]$Default)
    $own = if ($TentacleLab.Machine.tls) { $TentacleLab.Machine.tls.$Name } else { $null }
    if ($null -ne $own) { @($own) } else { $Default }
}

function Get-TlsCipherSuite {
    [CmdletBinding()]
    param()
    Add-LabCall 'Get-TlsCipherSuite' $PSBoundParameters
    if (Wait-LabProvider -What 'Get-TlsCipherSuite' -Seconds 0) { return }
    $default = 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_RSA_WITH_AES_256_GCM_SHA384', 'TLS_RSA_WITH_AES_128_GCM_SHA256'
    foreach ($name in (Get-LabTlsList 'cipher_suites' $default)) {
        [pscustomobject]@{
            KeyType = [uint32]0; Certificate = 'RSA'; MaximumExchangeLength = [uint32]65536; MinimumExchangeLength = [uint32]0; Exchange = 'ECDH'; Cipher = 'AES'
            CipherLength = [uint32]256; BaseCipherSuite = [uint32]49200; CipherSuite = [uint32]49200; Name = [string]$name; Protocols = [uint32[]]@(771)
        }
    }
}

function Get-TlsEccCurve {
    [CmdletBinding()]
    param()
    Add-LabCall 'Get-TlsEccCurve' $PSBoundParameters
    if (Wait-LabProvider -What 'Get-TlsEccCurve' -Seconds 0) { return }
    Get-LabTlsList 'curves' @('curve25519', 'NistP256', 'NistP384')
}

# Tasks of machine.json's `tasks` (2.4): {"name", "state": disabled|ready|running, "last_result"}. Who is no administrator
# sees none of them, and is not told so. A wildcard without a match is silent, an exact name is not.
function Get-ScheduledTask {
    [CmdletBinding()]
    param([string]$TaskName, [string]$TaskPath)
    Add-LabCall 'Get-ScheduledTask' $PSBoundParameters
    if (Test-LabDenied 'tasks') {
        $PSCmdlet.WriteError((New-LabCimError -Id 'HRESULT 0x80070005' -Class 'Get-ScheduledTask' -Category PermissionDenied -Text (Get-LabText 'Denied') -Target 'PS_ScheduledTask'))
        return
    }
    if (Test-LabMode -Mode 'stopped' -What 'tasks') {
        $PSCmdlet.WriteError((New-LabCimError -Id 'HRESULT 0x80041033' -Class 'Get-ScheduledTask' -Category NotSpecified -Text (Get-LabText 'NoServer') -Target 'PS_ScheduledTask'))
        return
    }
    if (Wait-LabProvider -What 'tasks', 'Get-ScheduledTask' -Seconds 0) { return }
    $numbers = @{ disabled = 1; queued = 2; ready = 3; running = 4 }
    $visible = @(Get-LabValue 'tasks' @() | Where-Object { $_ -and -not (Test-LabDenied 'elevation') })
    $found = @($visible | Where-Object { (-not $TaskName -or $_.name -like $TaskName) -and (-not $TaskPath -or $TaskPath -eq '\') })
    foreach ($task in $found) {
        [pscustomobject]@{ TaskName = [string]$task.name; TaskPath = '\'; State = [uint32]$numbers[[string]$task.state]; Author = 'Octopus'; PSComputerName = $null; CimClass = 'PS_ScheduledTask' }
    }
    if ($found.Count -or -not $TaskName -or [Management.Automation.WildcardPattern]::ContainsWildcardCharacters($TaskName)) { return }
    $property = if ($TaskPath) { '' } else { 'TaskName' }
    $PSCmdlet.WriteError((New-LabNoMatch -Property $property -Cmdlet 'Get-ScheduledTask' -Class 'MSFT_ScheduledTask' -Value $TaskName))
}

# A task that never ran: 30 November 1999 and 267011 (0x41303).
function Get-ScheduledTaskInfo {
    [CmdletBinding()]
    param($InputObject)
    Add-LabCall 'Get-ScheduledTaskInfo' @{ TaskName = $InputObject.TaskName }
    if (Wait-LabProvider -What 'Get-ScheduledTaskInfo' -Seconds 0) { return }
    $task = @(Get-LabValue 'tasks' @() | Where-Object { $_.name -eq $InputObject.TaskName })[0]
    $ran = $null -ne $task.last_result
    [pscustomobject]@{
        TaskName = $InputObject.TaskName; LastTaskResult = [uint32]$(if ($ran) { $task.last_result } else { 267011 })
        LastRunTime = $(if ($ran) { [datetime]::Now.AddHours(-1) } else { New-Object datetime (1999, 11, 30) }); NextRunTime = $null
    }
}
