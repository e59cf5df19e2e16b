# The shapes of Windows' own objects, in this one place: names and types of properties, each with its source among the
# notes on Windows' shapes (sections named behind). machine.json gives the values.

# Times in machine.json are ISO 8601 in UTC; Windows' cmdlets give local DateTime (1.3). PowerShell 7's reader of JSON
# has made a DateTime of the text already.
function ConvertTo-LabTime {
    param($Text)
    if ($null -eq $Text) { return $null }
    if ($Text -is [datetime]) { return $Text.ToLocalTime() }
    [datetime]::Parse([string]$Text, [Globalization.CultureInfo]::InvariantCulture, [Globalization.DateTimeStyles]'AdjustToUniversal, AssumeUniversal').ToLocalTime()
}

# Names of Windows' own accounts in the machine's language (10). LocalSystem has the same name everywhere (1.1).
$LabAccounts = @{
    en = @{ 'S-1-5-18' = 'NT AUTHORITY\SYSTEM'; 'S-1-5-19' = 'NT AUTHORITY\LOCAL SERVICE'; 'S-1-5-20' = 'NT AUTHORITY\NETWORK SERVICE'; 'S-1-5-32-544' = 'BUILTIN\Administrators'; 'S-1-5-32-545' = 'BUILTIN\Users' }
    de = @{ 'S-1-5-18' = "NT-AUTORIT$([char]0xC4)T\SYSTEM"; 'S-1-5-19' = "NT-AUTORIT$([char]0xC4)T\LOKALER DIENST"; 'S-1-5-20' = "NT-AUTORIT$([char]0xC4)T\NETZWERKDIENST"; 'S-1-5-32-544' = 'VORDEFINIERT\Administratoren'; 'S-1-5-32-545' = 'VORDEFINIERT\Benutzer' }
}

# What the system says when it refuses; the wording is the language's, the identifiers are not.
$LabTexts = @{
    en = @{
        Denied = 'Access is denied.'; Listening = 'LISTENING'; Established = 'ESTABLISHED'; CloseWait = 'CLOSE_WAIT'; TimeWait = 'TIME_WAIT'; SynSent = 'SYN_SENT'
        Head = 'Active Connections'; Columns = '  Proto  Local Address          Foreign Address        State           PID'
        Caption = 'Microsoft Windows Server 2019 Standard'; Bits = '64-bit'
        NoMatch = "No {0} objects found with property '{1}' equal to '{2}'. Verify the value of the property and retry."
        NoMatchAtAll = "No matching {0} objects found by CIM query."; NoServer = 'The RPC server is unavailable.'; NoClass = 'Invalid class'
        Disabled = 'The service cannot be started, either because it is disabled or because it has no enabled devices associated with it.'
        NoService = "Cannot find any service with service name '{0}'."; NoProcess = 'Cannot find a process with the process identifier {0}.'
        NoEvent = 'No events were found that match the specified selection criteria.'; NoProvider = "There is not an event provider on the localhost computer that matches '{0}'."
        NoText = 'The description string for parameter reference (%1) could not be found'; NoGroup = 'Group {0} was not found.'
        Unspecified = 'An unspecified error occurred.'; NoCompare = 'Failed to compare two elements in the array.'; User = 'User'; Group = 'Group'
        NoName = 'Some or all identity references could not be translated.'; NoAccess = 'Attempted to perform an unauthorized operation.'
    }
    de = @{
        Denied = 'Zugriff verweigert'; Listening = "ABH$([char]0xD6)REN"; Established = 'HERGESTELLT'; CloseWait = 'SCHLIESSEN_WARTEN'; TimeWait = 'WARTEND'; SynSent = 'SYN_GESENDET'
        Head = 'Aktive Verbindungen'; Columns = '  Proto  Lokale Adresse         Remoteadresse          Status           PID'
        Caption = 'Microsoft Windows Server 2019 Standard'; Bits = '64-Bit'
        NoMatch = 'Es wurden keine {0}-Objekte gefunden, deren "{1}" dem Wert "{2}" entspricht.'
        NoMatchAtAll = 'Es wurden keine {0}-Objekte gefunden.'; NoServer = "Der RPC-Server ist nicht verf$([char]0xFC)gbar."; NoClass = "Ung$([char]0xFC)ltige Klasse"
        Disabled = 'Der angegebene Dienst kann nicht gestartet werden.'
        NoService = 'Es wurde kein Dienst mit dem Namen "{0}" gefunden.'; NoProcess = 'Es wurde kein Prozess mit der Kennung {0} gefunden.'
        NoEvent = "Es wurden keine Ereignisse gefunden."; NoProvider = 'Es gibt keinen Ereignisanbieter "{0}".'
        NoText = 'Die Beschreibungszeichenfolge (%1) wurde nicht gefunden'; NoGroup = 'Die Gruppe {0} wurde nicht gefunden.'
        Unspecified = 'Es ist ein unbekannter Fehler aufgetreten.'; NoCompare = 'Fehler beim Vergleich zweier Elemente.'; User = 'Benutzer'; Group = 'Gruppe'
        NoName = 'Manche Identit' + [char]0xE4 + 'tsverweise konnten nicht ' + [char]0xFC + 'bersetzt werden.'; NoAccess = "Es wurde versucht, einen nicht autorisierten Vorgang auszuf$([char]0xFC)hren."
    }
}

function Get-LabText {
    param([string]$Name)
    $texts = $LabTexts[[string]$TentacleLab.Machine.locale]
    if (-not $texts) { $texts = $LabTexts['en'] }
    $texts[$Name]
}

# The account as this machine's service manager would show it (1.1): built-in ones come in its language.
function Get-LabAccount {
    param([string]$Account)
    $names = $LabAccounts[[string]$TentacleLab.Machine.locale]
    if (-not $names) { return $Account }
    if ($Account -match '(?i)^NT AUTHORITY\\Local ?Service$') { return $names['S-1-5-19'] }
    if ($Account -match '(?i)^NT AUTHORITY\\Network ?Service$') { return $names['S-1-5-20'] }
    $Account
}

# Win32_Service (1.1): uint32 numbers, State and StartMode in English everywhere, 1067 for what ended by itself (1.2).
function New-ServiceShape {
    param($Service)
    $states = @{ running = 'Running'; stopped = 'Stopped'; starting = 'Start Pending'; stopping = 'Stop Pending'; paused = 'Paused'; failed = 'Stopped' }
    $modes = @{ auto = 'Auto'; manual = 'Manual'; disabled = 'Disabled' }
    $state = $states[[string]$Service.state]
    $exit = if ($null -ne $Service.exit_code) { $Service.exit_code } elseif ($Service.state -eq 'failed') { 1067 } else { 0 }
    [pscustomobject]@{
        Name                    = [string]$Service.name
        DisplayName             = [string]$(if ($Service.display_name) { $Service.display_name } else { $Service.name })
        State                   = [string]$(if ($state) { $state } else { 'Unknown' })
        StartMode               = [string]$modes[[string]$Service.start_mode]
        StartName               = $(if ($Service.account) { Get-LabAccount $Service.account } else { $null })
        ProcessId               = [uint32]$(if ($state -eq 'Stopped') { 0 } else { $Service.pid })
        ExitCode                = [uint32]$exit
        ServiceSpecificExitCode = [uint32]0
        PathName                = [string]$Service.command
        DelayedAutoStart        = $false
        Started                 = [bool]($state -eq 'Running')
        Status                  = 'OK'
    }
}

# Win32_Process (1.3): CreationDate is a local DateTime; path and command line are null without rights.
function New-ProcessShape {
    param($Process)
    [pscustomobject]@{
        Handle          = [string]$Process.pid
        ProcessId       = [uint32]$Process.pid
        ParentProcessId = [uint32]$(if ($null -ne $Process.parent_pid) { $Process.parent_pid } else { 0 })
        Name            = [string]$Process.name
        ExecutablePath  = $(if ($Process.executable) { [string]$Process.executable } else { $null })
        CommandLine     = $(if ($Process.command_line) { [string]$Process.command_line } else { $null })
        CreationDate    = ConvertTo-LabTime $Process.started_utc
    }
}

# Win32_OperatingSystem (9): Version and BuildNumber are strings, Caption and OSArchitecture are localised.
function New-OperatingSystemShape {
    $build = [string](Get-LabValue 'build' '17763')
    [pscustomobject]@{
        Caption        = Get-LabText 'Caption'
        Version        = $(if ($build -eq '9600') { '6.3.9600' } else { "10.0.$build" })
        BuildNumber    = $build
        ProductType    = [uint32]$(if (Test-LabRole 'domain-controller') { 2 } else { 3 })
        OSLanguage     = [uint32]$(if ($TentacleLab.Machine.locale -eq 'de') { 1031 } else { 1033 })
        OSArchitecture = Get-LabText 'Bits'
        LastBootUpTime = ConvertTo-LabTime '2026-11-20T04:00:00Z'
        LocalDateTime  = [datetime]::Now
    }
}

# What kind of machine it is: machine.json's `roles` holds domain-controller, core, workgroup.
function Test-LabRole {
    param([string]$Role)
    @($TentacleLab.Machine.roles) -contains $Role
}

# Win32_NetworkAdapterConfiguration (8): arrays of string, or null.
function New-AdapterShape {
    [pscustomobject]@{ IPEnabled = $false; IPAddress = $null; DefaultIPGateway = $null }
    [pscustomobject]@{ IPEnabled = $true; IPAddress = [string[]]@($TentacleLab.Machine.addresses); DefaultIPGateway = $null }
}

# Names of states in machine.json, and their numbers in MSFT_NetTCPConnection and .NET's TcpState (2).
$LabTcpStates = @{ listen = 2; 'syn-sent' = 3; established = 5; 'fin-wait' = 6; 'close-wait' = 8; 'time-wait' = 11; bound = 100 }

# MSFT_NetTCPConnection (2): uint16 ports, uint32 owner, 0 for what waits for its end.
function New-ConnectionShape {
    param($Socket)
    if (-not $TentacleLab.ContainsKey('Owners')) {
        $TentacleLab['Owners'] = @{}
        foreach ($one in @($TentacleLab.Machine.services) + @($TentacleLab.Machine.processes) | Where-Object { $_ }) { $TentacleLab.Owners[[string]$one.pid] = $one }
    }
    $owner = $TentacleLab.Owners[[string]$Socket.pid]
    $created = if ($Socket.created_utc) { $Socket.created_utc } elseif ($owner -and $owner.started_utc) { $owner.started_utc } else { '2026-11-20T04:01:00Z' }
    [pscustomobject]@{
        State         = [byte]$LabTcpStates[[string]$Socket.state]
        LocalAddress  = [string]$Socket.address
        LocalPort     = [uint16]$Socket.port
        RemoteAddress = [string]$(if ($Socket.remote_address) { $Socket.remote_address } elseif ([string]$Socket.address -match ':') { '::' } else { '0.0.0.0' })
        RemotePort    = [uint16]$(if ($Socket.remote_port) { $Socket.remote_port } else { 0 })
        OwningProcess = [uint32]$Socket.pid
        CreationTime  = ConvertTo-LabTime $created
    }
}

# Lines of `netstat -ano` (2 and 10).
function New-NetstatLine {
    param($Socket)
    $words = @{ listen = 'Listening'; established = 'Established'; 'close-wait' = 'CloseWait'; 'time-wait' = 'TimeWait'; 'syn-sent' = 'SynSent' }
    $local = if ([string]$Socket.address -match ':') { "[$($Socket.address)]" } else { [string]$Socket.address }
    $remote = if ($Socket.remote_port) { "$($Socket.remote_address):$($Socket.remote_port)" } elseif ($local.StartsWith('[')) { '[::]:0' } else { '0.0.0.0:0' }
    '  TCP    {0,-22} {1,-22} {2,-15} {3}' -f "${local}:$($Socket.port)", $remote, (Get-LabText $words[[string]$Socket.state]), $Socket.pid
}

# Get-Service (1.1): Status is a number behind its name; UserName and StartType are not there on 5.1 or not used.
function New-ControllerShape {
    param($Service)
    $numbers = @{ stopped = 1; failed = 1; starting = 2; stopping = 3; running = 4; paused = 7 }
    $starts = @{ auto = 2; manual = 3; disabled = 4 }
    [pscustomobject]@{
        Name = [string]$Service.name; Status = [int]$numbers[[string]$Service.state]
        StartType = $(if ($Service.start_mode) { [int]$starts[[string]$Service.start_mode] } else { $null })
        DisplayName = [string]$(if ($Service.display_name) { $Service.display_name } else { $Service.name })
    }
}

# MSCluster_Resource (8d): State 2 is online, 3 offline, 4 failed, 129 and 130 pending.
function New-ClusterResourceShape {
    param($Resource)
    $states = @{ online = 2; offline = 3; failed = 4; pending = 129 }
    [pscustomobject]@{
        Name = [string]$Resource.name; Type = $(if ($Resource.service) { 'Generic Service' } else { 'IP Address' }); State = [uint32]$states[[string]$Resource.state]
        OwnerNode = [string]$Resource.owner; OwnerGroup = [string]$Resource.group
    }
}
