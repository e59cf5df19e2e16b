# pytest-tentacle surveys this machine, where PowerShell runs in constrained language mode: it reads, and changes nothing.
# By cmdlets alone, so only in part: services, settings, logs, sockets, disks, events, and whether a port can be connected
# to. This text is the same on every machine; the request stands behind its last line, as data.
& {
param([string]$Data)
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'

# ASCII whatever the code page; what is not comes as a question mark.
function Write-Record {
    param([string]$Name, $Value)
    $json = (ConvertTo-Json -InputObject $Value -Depth 8 -Compress) -replace '[^\x20-\x7e]', '?'
    $mark = "-----SURVEY $($Request.nonce)"
    Write-Output "$mark BEGIN $Name json $($json.Length)-----"
    Write-Output $json
    Write-Output "$mark END $Name-----"
}

function Write-Section {
    param([string]$Name, [scriptblock]$Read, [switch]$IsList)
    $section = @{}
    try {
        if ($IsList) { $section['data'] = @(& $Read) } else { $section['data'] = & $Read }
    } catch {
        $section = @{ unknown = "$($_.FullyQualifiedErrorId): $($_.Exception.Message)" }
    }
    Write-Record $Name $section
}

function ConvertTo-UtcText {
    param($Time)
    if ($null -eq $Time) { return $null }
    '{0:yyyy-MM-ddTHH:mm:ss}Z' -f $Time.ToUniversalTime()
}

# The values of a key, or nothing where it is missing or holds none.
function Get-KeyValue {
    param([string]$Key)
    if (Test-Path -LiteralPath $Key) { Get-ItemProperty -LiteralPath $Key -ErrorAction Stop }
}

function Hide-Secret {
    param([string]$Line)
    $Line -replace '(?i)((?:--?|/)[\w-]*(?:password|api-?key|master-?key|secret|token|connection-?string)[\w-]*(?:[=:]\s*|\s+))("[^"]*"|\S+)', '$1***'
}

function Get-HostSection {
    $system = Get-CimInstance -ClassName Win32_OperatingSystem -OperationTimeoutSec 5 -ErrorAction Stop
    $addresses = @(Get-NetIPAddress -ErrorAction SilentlyContinue | Where-Object { @('Preferred', 'Deprecated', '4', '3') -contains [string]$_.AddressState } | ForEach-Object { [string]$_.IPAddress -replace '%.*$', '' } | Where-Object { $_ -notmatch '^(127\.0\.0\.1|::1|169\.254\..*|(?i)fe80:.*)$' })
    @{
        hostname = [string]$env:COMPUTERNAME; os = 'windows'; os_name = [string]$system.Caption; os_version = [string]$system.Version
        boot_utc = ConvertTo-UtcText $system.LastBootUpTime; clock_utc = ConvertTo-UtcText (Get-Date); user = [string]$env:USERNAME; addresses = $addresses
        shell = @{ name = 'powershell'; version = [string]$PSVersionTable.PSVersion; language_mode = 'ConstrainedLanguage' }
    }
}

function Get-ServiceSection {
    $states = @{ 'Running' = 'running'; 'Stopped' = 'stopped'; 'Start Pending' = 'starting'; 'Continue Pending' = 'starting'; 'Stop Pending' = 'stopping'; 'Pause Pending' = 'paused'; 'Paused' = 'paused' }
    $modes = @{ 'Auto' = 'auto'; 'Manual' = 'manual'; 'Disabled' = 'disabled' }
    $rows = Get-CimInstance -ClassName Win32_Service -Filter "Name LIKE 'Octopus%' OR PathName LIKE '%Tentacle%' OR PathName LIKE '%Octopus.Server%'" -OperationTimeoutSec 10 -ErrorAction Stop
    foreach ($row in @($rows)) {
        $line = [string]$row.PathName
        $executable, $arguments = $null, $line
        if ($line -match '^\s*"([^"]+)"\s*(.*)$' -or $line -match '(?i)^\s*(dotnet(?:\.exe)?)\s+(.*)$' -or $line -match '(?i)^\s*(.+?\.(?:exe|dll))(?:\s+(.*))?$') { $executable, $arguments = [string]$Matches[1], [string]$Matches[2] }
        $product = $null
        if ($line -match '(?i)Octopus\.Server\.(exe|dll)\b') { $product = 'server' } elseif ($line -match '(?i)(^|[\\/"])(Octopus\.)?Tentacle\.(exe|dll)\b') { $product = 'tentacle' }
        $instance = $null
        if ($arguments -match '(?i)(?:^|\s)(?:--?|/)instance(?:[=:]|\s+)(?:"([^"]*)"|(\S+))') { $instance = "$($Matches[1])$($Matches[2])" }
        $process = if ([int64]$row.ProcessId -gt 0) { Get-CimInstance -ClassName Win32_Process -Filter "ProcessId = $($row.ProcessId)" -OperationTimeoutSec 5 -ErrorAction SilentlyContinue } else { $null }
        @{
            name = [string]$row.Name; product = $product; instance = $instance; account = [string]$row.StartName; executable = $executable; arguments = Hide-Secret $arguments
            state = if ($states[[string]$row.State]) { $states[[string]$row.State] } else { 'unknown' }
            start_mode = if ($modes[[string]$row.StartMode]) { $modes[[string]$row.StartMode] } else { 'other' }
            pid = if ([int64]$row.ProcessId -gt 0) { [int64]$row.ProcessId } else { $null }
            started_utc = if ($process) { ConvertTo-UtcText $process.CreationDate } else { $null }
            exit_code = [int64]$row.ExitCode
            unquoted = [string]$executable -match '\s' -and $line -notmatch '^\s*(?:"|dotnet)'
            deleted = [bool](Get-ItemProperty -LiteralPath "HKLM:\SYSTEM\CurrentControlSet\Services\$($row.Name)" -ErrorAction SilentlyContinue).DeleteFlag
            cluster = if ($product -and (Test-Path -LiteralPath 'HKLM:\Cluster\Resources')) { @{ detail = 'constrained language mode: whether a failover cluster starts it was not asked' } } else { $null }
        }
    }
}

# Values of secrets stay where they are.
function Read-Configuration {
    param([string]$Path)
    $found = @{ path = $Path }
    try {
        $item = Get-Item -LiteralPath $Path -Force -ErrorAction Stop
        $found['size'] = [int64]$item.Length
        $found['modified_utc'] = ConvertTo-UtcText $item.LastWriteTime
        $settings = @{}
        $text = Get-Content -LiteralPath $Path -Raw -Encoding UTF8 -ErrorAction Stop
        if (-not $text) { $found['error'] = 'empty'; return $found }
        foreach ($node in @(([xml]$text).'octopus-settings'.set)) {
            if ($node.key -notmatch '(?i)(Certificate|Password|Secret|Token|Key)$|ConnectionString') { $settings[[string]$node.key] = [string]$node.'#text' }
        }
        $found['settings'] = $settings
    } catch {
        $found['error'] = if ($_.FullyQualifiedErrorId -match 'PathNotFound|FileNotFound') { 'not-found' } elseif ($_.FullyQualifiedErrorId -match '(?i)Unauthorized') { 'denied' } elseif ($_.FullyQualifiedErrorId -match '(?i)Cast|Conver') { 'malformed' } else { 'unreadable' }
        $found['detail'] = "$($_.FullyQualifiedErrorId): $($_.Exception.Message)"
    }
    $found
}

function Get-InstanceSection {
    foreach ($kind in @{ Product = 'tentacle'; Folder = 'Tentacle' }, @{ Product = 'server'; Folder = 'OctopusServer' }) {
        $folder = "$env:ProgramData\Octopus\$($kind.Folder)\Instances"
        if (-not (Test-Path -LiteralPath $folder)) { continue }
        foreach ($file in @(Get-ChildItem -LiteralPath $folder -Filter '*.config' -ErrorAction Stop | Sort-Object -Property Name)) {
            $entry = Get-Content -LiteralPath $file.FullName -Raw -Encoding UTF8 -ErrorAction Stop | ConvertFrom-Json
            @{ product = $kind.Product; name = [string]$entry.Name; configuration = Read-Configuration ([string]$entry.ConfigurationFilePath) }
        }
    }
}

function Get-LogSection {
    foreach ($instance in $Known) {
        $root = [string]$instance.configuration.settings['Octopus.Home']
        if (-not $root) { $root = $instance.configuration.path -replace '[\\/][^\\/]*$', '' }
        $name = if ($instance.product -eq 'server') { 'OctopusServer' } else { 'OctopusTentacle' }
        $log = @{ product = $instance.product; instance = $instance.name; path = "$root\Logs\$name.txt"; complete = $false }
        try {
            $item = Get-Item -LiteralPath $log.path -Force -ErrorAction Stop
            $log['size'] = [int64]$item.Length
            $log['modified_utc'] = ConvertTo-UtcText $item.LastWriteTime
            $log['lines'] = @(Get-Content -LiteralPath $log.path -Tail 1500 -Encoding UTF8 -ErrorAction Stop | ForEach-Object { [string]$_ })
        } catch {
            $log['error'] = if ($_.FullyQualifiedErrorId -match 'PathNotFound|FileNotFound') { 'not-found' } elseif ($_.FullyQualifiedErrorId -match '(?i)Unauthorized') { 'denied' } else { 'unreadable' }
        }
        $log
    }
}

function Get-PortOfInterest {
    10933
    10943
    foreach ($port in @($Request.ports)) { [int]$port }
    foreach ($instance in $Known) {
        foreach ($key in 'Tentacle.Services.PortNumber', 'Octopus.Communications.ServicesPort') { if ([string]$instance.configuration.settings[$key] -match '^\d{1,5}$') { [int]$Matches[0] } }
    }
}

function Get-ListenerSection {
    $ports = @(Get-PortOfInterest)
    foreach ($row in $Sockets) {
        if ([int]$row.State -ne 2 -or $ports -notcontains [int]$row.LocalPort) { continue }
        $owner = Get-CimInstance -ClassName Win32_Process -Filter "ProcessId = $($row.OwningProcess)" -OperationTimeoutSec 5 -ErrorAction Stop
        @{
            address = [string]$row.LocalAddress; port = [int]$row.LocalPort; pid = [int64]$row.OwningProcess; children = @()
            owner = if ($owner) { @{ pid = [int64]$owner.ProcessId; name = [string]$owner.Name; executable = $owner.ExecutablePath; command_line = Hide-Secret $owner.CommandLine; parent_pid = [int64]$owner.ParentProcessId } } else { $null }
        }
    }
}

function Get-ConnectionSection {
    $ports = @(Get-PortOfInterest)
    $words = @{ 3 = 'syn-sent'; 5 = 'established'; 8 = 'close-wait'; 11 = 'time-wait' }
    $kept = 0
    foreach ($row in $Sockets) {
        if (@(1, 2, 12, 100) -contains [int]$row.State -or ($ports -notcontains [int]$row.LocalPort -and $ports -notcontains [int]$row.RemotePort) -or $kept -ge 1000) { continue }
        $kept++
        @{
            local_address = [string]$row.LocalAddress; local_port = [int]$row.LocalPort; remote_address = [string]$row.RemoteAddress; remote_port = [int]$row.RemotePort
            state = if ($words[[int]$row.State]) { $words[[int]$row.State] } else { 'other' }
            pid = if ([int64]$row.OwningProcess -gt 0) { [int64]$row.OwningProcess } else { $null }
        }
    }
}

function Get-DiskSection {
    foreach ($row in @(Get-CimInstance -ClassName Win32_LogicalDisk -Filter 'DriveType = 3' -OperationTimeoutSec 10 -ErrorAction Stop)) {
        @{ path = "$($row.DeviceID)\"; free_bytes = [int64]$row.FreeSpace; size_bytes = [int64]$row.Size }
    }
}

# By connecting alone: TLS and the page need more than cmdlets. What fails in it is told by time, not by a reason.
function Write-Probe {
    foreach ($target in @($Request.targets)) {
        if (-not $target) { continue }
        $begun = Get-Date
        $seen = Test-NetConnection -ComputerName $target.host -Port $target.port -WarningAction SilentlyContinue -ErrorAction SilentlyContinue
        $took = [double]((Get-Date) - $begun).TotalMilliseconds
        $probe = @{ link = @{ asked = [int]$target.link.asked }; host = $target.host; port = $target.port; by = $target.by; unavailable = 'constrained language mode: only whether a connection comes about was tried' }
        if ($seen -and $seen.TcpTestSucceeded) {
            $probe['connect'] = @{ address = [string]$seen.RemoteAddress; ms = $took }
        } else {
            $probe['unavailable'] = "constrained language mode: Test-NetConnection found no connection within $([int]($took / 1000)) s, and does not say why"
        }
        $probe
    }
}

$Request = ConvertFrom-Json -InputObject $Data
if ($Request.gather) {
    Write-Section 'host' { Get-HostSection }
    Write-Section 'services' { Get-ServiceSection } -IsList
    $Known = @()
    try { $Known = @(Get-InstanceSection); Write-Record 'instances' @{ data = $Known } } catch { Write-Record 'instances' @{ unknown = "$($_.FullyQualifiedErrorId): $($_.Exception.Message)" } }
    Write-Section 'logs' { Get-LogSection } -IsList
    try { $Sockets = @(Get-NetTCPConnection -ErrorAction Stop) } catch { $Sockets = $null; $why = "$($_.FullyQualifiedErrorId): $($_.Exception.Message)" }
    if ($null -ne $Sockets) {
        Write-Section 'listeners' { Get-ListenerSection } -IsList
        Write-Section 'connections' { Get-ConnectionSection } -IsList
    } else {
        Write-Record 'listeners' @{ unknown = $why }
        Write-Record 'connections' @{ unknown = $why }
    }
    Write-Section 'disks' { Get-DiskSection } -IsList
}
Write-Record 'probes' @(Write-Probe)
Write-Output "-----SURVEY $($Request.nonce) DONE-----"
}
