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

function Read-Text { $utf8.GetString($reader.ReadBytes($reader.ReadInt32())) }

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
    [Console]::SetIn($in)
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
