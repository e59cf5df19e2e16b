# Who listens on the ports that matter.

# A process that began later than its socket by more than this has only inherited a vanished process's number.
$ReuseTolerance = [timespan]::FromSeconds(60)

function Get-ListenerSection {
    $ports = @(Get-PortOfInterest) + @(Get-PortalPort)
    $processes = Get-ProcessTable
    foreach ($socket in @(Get-ListeningSocket)) {
        if ($ports -notcontains $socket.Port) { continue }
        $owner = $processes[[string]$socket.ProcessId]
        $reused = $owner -and $socket.Created -and $owner.Started -and (([datetime]$owner.Started) - ([datetime]$socket.Created)) -gt $ReuseTolerance
        $gone = (-not $owner) -or $reused
        @{
            address  = $socket.Address
            port     = $socket.Port
            pid      = $socket.ProcessId
            owner    = if ($gone) { $null } else { ConvertTo-ProcessRecord $owner }
            children = @(if ($gone) { Get-OrphanProcess -Processes $processes -Socket $socket -Successor $owner })
        }
    }
}

function Get-PortOfInterest {
    $ports = @(10933, 10943) + @($Survey.Request.ports | Where-Object { $_ } | ForEach-Object { [int]$_ })
    foreach ($instance in @($Survey.Cache['instances'] | Where-Object { $_ })) { $ports += Get-InstancePort $instance }
    $ports | Sort-Object -Unique
}

# The port that an instance is configured with, or the default; nothing where the setting is no port number.
function Get-InstancePort {
    param([hashtable]$Instance)
    $key, $port = if ($Instance.Product -eq 'server') { 'Octopus.Communications.ServicesPort', 10943 } else { 'Tentacle.Services.PortNumber', 10933 }
    $text = ([string]$Instance.Settings[$key]).Trim()
    if (-not $text) { return $port }
    if ($text -match '^\d{1,5}$' -and [int]$text -gt 0 -and [int]$text -lt 65536) { return [int]$text }
}

# Further ports that an Octopus Server opens: of the prefixes of its portal and its web socket, and 8443.
function Get-PortalPort {
    foreach ($instance in @($Survey.Cache['instances'] | Where-Object { $_ -and $_.Product -eq 'server' })) {
        8443
        foreach ($prefix in (([string]$instance.Settings['Octopus.WebPortal.ListenPrefixes'] + ',' + $instance.Settings['Octopus.Communications.WebSocketPrefix']) -split ',')) {
            if ($prefix -match '(?i)^\s*https?://(?:\[[^\]]*\]|[^/:]*):(\d{1,5})(?:/|\s*$)') { [int]$Matches[1] }
            elseif ($prefix -match '(?i)^\s*http(s?)://') { if ($Matches[1]) { 443 } else { 80 } }
        }
    }
}

function Get-ListeningSocket {
    $rows = try { @(Get-TcpTable) } catch { $null }
    if ($null -eq $rows) { return Get-ListeningSocketByNetstat }
    foreach ($row in $rows) {
        if ($row.State -eq 2) { @{ Address = $row.LocalAddress; Port = $row.LocalPort; ProcessId = $row.ProcessId; Created = $row.Created } }
    }
}

# A listener is the row whose foreign port is 0: the word for its state depends on the language and may be garbled.
function Get-ListeningSocketByNetstat {
    $lines = @(Invoke-Aside -What 'netstat' -Seconds 10 -Call { & "$env:SystemRoot\System32\netstat.exe" -ano })
    if ($lines.Count -eq 0) { throw 'netstat printed nothing' }
    foreach ($line in $lines) {
        if ([string]$line -match '^\s*TCP\s+(\S+):(\d+)\s+(?:0\.0\.0\.0|\[::\]|\*):0\s.*?(\d+)\s*$') {
            @{ Address = $Matches[1].Trim('[]'.ToCharArray()); Port = [int]$Matches[2]; ProcessId = [int64]$Matches[3]; Created = $null }
        }
    }
}

# Living processes that the vanished owner started: those that began after the socket and before the number was used again.
function Get-OrphanProcess {
    param([hashtable]$Processes, [hashtable]$Socket, $Successor)
    foreach ($process in $Processes.Values) {
        if ($process.Parent -ne $Socket.ProcessId -or $process.Id -eq $Socket.ProcessId) { continue }
        if ($process.Started -and $Socket.Created -and ([datetime]$process.Started) + $ReuseTolerance -lt ([datetime]$Socket.Created)) { continue }
        if ($Successor -and $Successor.Started -and $process.Started -and ([datetime]$process.Started) -ge ([datetime]$Successor.Started)) { continue }
        ConvertTo-ProcessRecord $process
    }
}

function ConvertTo-ProcessRecord {
    param([hashtable]$Process)
    @{
        pid          = $Process.Id
        name         = if ($Process.Name) { [string]$Process.Name } else { $null }
        executable   = if ($Process.Executable) { [string]$Process.Executable } else { $null }
        command_line = if ($Process.CommandLine) { Hide-Secret $Process.CommandLine } else { $null }
        parent_pid   = $Process.Parent
        started_utc  = ConvertTo-UtcText $Process.Started
    }
}
