# Runs in the engine that the broker keeps: one command after the other, each in a runspace of its own and by the engine's
# own code, as if it stood on the command line. What belongs to the process (folder, environment, stdin) is set anew each time.
param([string]$Address)
$all = [Reflection.BindingFlags]'NonPublic, Public, Static, Instance'
$program = [Reflection.Assembly]::GetEntryAssembly()
$run = $program.GetType('Standin.Program').GetMethod('Run', $all)
$parse = $program.GetType('Standin.Options').GetMethod('Parse', $all)
$kind = $program.GetType('Standin.ConsoleHost')
$keep = 'PSModulePath', 'POWERSHELL_TELEMETRY_OPTOUT'
$utf8 = New-Object Text.UTF8Encoding $false

$socket = New-Object Net.Sockets.Socket ([Net.Sockets.AddressFamily]::Unix), ([Net.Sockets.SocketType]::Stream), ([Net.Sockets.ProtocolType]::Unspecified)
$socket.Connect((New-Object Net.Sockets.UnixDomainSocketEndPoint $Address))
$stream = New-Object Net.Sockets.NetworkStream $socket, $true
$reader = New-Object IO.BinaryReader $stream

# A survey's script is the same each time, and only the request behind its last line differs: PowerShell keeps what it has
# compiled of a text, so the script becomes a text of its own, which is called with the request. What a command says before it
# may name other types, so each command has its own.
$text = New-Object Text.RegularExpressions.Regex "\A(# .*\n& \{\n.*\n\}) ('[^']*')\s*\z", 'Singleline, CultureInvariant'
$asks = '[ScriptBlock]::Create([Console]::In.ReadToEnd())'
$place = "& ([ScriptBlock]::Create([AppDomain]::CurrentDomain.GetData('{0}'))) {1}"
$digest = [Security.Cryptography.SHA256]::Create()

function Get-Script {
    param([string]$Given, [string]$Command)
    $found = $text.Match($Given)
    if (-not $found.Success) { return $Given }
    $name = [BitConverter]::ToString($digest.ComputeHash($utf8.GetBytes($Command + $found.Groups[1].Value)))
    [AppDomain]::CurrentDomain.SetData($name, $found.Groups[1].Value + " `$args[0]`n# $name")
    $place -f $name, $found.Groups[2].Value
}

function Get-CommandText {
    param([string[]]$Words)
    if ($Words[-2] -ne '-EncodedCommand') { return $Words[-1] }
    [Text.Encoding]::Unicode.GetString([Convert]::FromBase64String($Words[-1]))
}

function Read-Text { $utf8.GetString($reader.ReadBytes($reader.ReadInt32())) }

# Each command is told to the system's log, which nobody reads here: a twelfth of a survey's time went into putting that together.
$logs = [psobject].Assembly.GetType('System.Management.Automation.MshLog').GetField('s_logProviders', $all).GetValue($null)
foreach ($providers in $logs.Values) { $providers.Clear() }

$version = $PSVersionTable.PSVersion # of all runspaces together
while ($true) {
    try { $count = $reader.ReadInt32() } catch { break }
    $texts = New-Object 'string[]' $count
    for ($i = 0; $i -lt $count; $i++) { $texts[$i] = Read-Text }
    $last = 2 + [int]$texts[2]
    [string[]]$arguments = $texts[3..$last]
    $wanted = @{}
    for ($i = $last + 1; $i -lt $count; $i += 2) { $wanted[$texts[$i]] = $texts[$i + 1] }
    foreach ($name in @([Environment]::GetEnvironmentVariables().Keys)) {
        if (-not $wanted.ContainsKey($name) -and $keep -notcontains $name) { [Environment]::SetEnvironmentVariable($name, [NullString]::Value) }
    }
    foreach ($name in $wanted.Keys) { if ($keep -notcontains $name) { [Environment]::SetEnvironmentVariable($name, $wanted[$name]) } }
    $PSVersionTable['PSVersion'] = $version
    [IO.Directory]::SetCurrentDirectory($texts[1])
    $in = New-Object IO.StreamReader (New-Object IO.FileStream $texts[0], ([IO.FileMode]::Open), ([IO.FileAccess]::Read), ([IO.FileShare]::ReadWrite)), $utf8
    $command = Get-CommandText $arguments
    if ($command.Contains($asks)) { [Console]::SetIn((New-Object IO.StringReader (Get-Script $in.ReadToEnd() $command))) } else { [Console]::SetIn($in) }
    $asking = [Activator]::CreateInstance($kind, [object[]]@($true))
    $space = [Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace($asking, [Management.Automation.Runspaces.InitialSessionState]::CreateDefault2())
    $space.Open()
    $options = $parse.Invoke($null, [object[]]@(, $arguments))
    $code = $run.Invoke($null, [object[]]@($space, $asking, $options))
    [Console]::Out.Flush()
    [Console]::Error.Flush()
    $space.Dispose()
    $in.Dispose()
    $stream.WriteByte([byte]($code -band 255))
}
