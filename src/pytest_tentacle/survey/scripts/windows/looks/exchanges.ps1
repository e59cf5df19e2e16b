# Plain HTTP, several questions at once: each resolves, connects, sends its few bytes and reads the first line of the answer.
# As with the probes, .NET does the waiting in tasks. A tunnel that a proxy opened is not just dropped: a connection that
# says nothing leaves an Error in the server's log, so the whole GET of a probe goes through it.

$CrLf = [string][char]13 + [char]10

# Bytes of an answer that are looked at for its first line, and all that is read through a tunnel.
$ExchangeLimit = 4096
$TunnelLimit = 65536

# An exchange has Host, Port and Text, and Tunnel (host, port) where the answer 200 opens one. It ends with Line (the answer's
# first) or Error (a word) and Detail, and Ms.
function Invoke-Exchange {
    param([hashtable[]]$Exchange, [double]$Seconds)
    $end = $Survey.Clock.Elapsed.TotalMilliseconds + $Seconds * 1000
    foreach ($one in $Exchange) { Start-Exchange $one }
    while ($true) {
        $active = @($Exchange | Where-Object { $_.Stage -ne 'done' })
        if (-not $active.Count) { break }
        $left = $end - $Survey.Clock.Elapsed.TotalMilliseconds
        if ($left -le 0) {
            foreach ($one in $active) { Stop-Exchange -Exchange $one -Word 'timed-out' }
            break
        }
        $tasks = [Threading.Tasks.Task[]]@($active | ForEach-Object { $_.Task })
        $null = [Threading.Tasks.Task]::WaitAny($tasks, [int][Math]::Ceiling([Math]::Min(200, $left)))
        foreach ($one in $active) { while ($one.Stage -ne 'done' -and $one.Task.IsCompleted) { Step-Exchange $one } }
    }
}

function Start-Exchange {
    param([hashtable]$Exchange)
    $Exchange['Started'] = $Survey.Clock.Elapsed.TotalMilliseconds
    $Exchange['Buffer'] = New-Object byte[] 2048
    $Exchange['Received'] = New-Object IO.MemoryStream
    foreach ($name in 'Line', 'Error', 'Detail', 'Client', 'Stream', 'Task') { $Exchange[$name] = $null }
    $literal = $Exchange.Host -as [ipaddress]
    if ($literal) {
        $Exchange['Addresses'] = @($literal)
        Enter-ExchangeConnect $Exchange
    } else {
        Enter-ExchangeStage -Exchange $Exchange -Stage 'resolve' -Begin { [Net.Dns]::GetHostAddressesAsync($Exchange.Host) }
    }
}

function Enter-ExchangeStage {
    param([hashtable]$Exchange, [string]$Stage, [scriptblock]$Begin)
    $Exchange['Stage'] = $Stage
    try { $Exchange.Task = & $Begin } catch { Stop-Exchange -Exchange $Exchange -Exception $_.Exception }
}

function Enter-ExchangeConnect {
    param([hashtable]$Exchange)
    $address = $Exchange.Addresses[0]
    $Exchange.Addresses = @($Exchange.Addresses | Select-Object -Skip 1)
    Enter-ExchangeStage -Exchange $Exchange -Stage 'connect' -Begin {
        $Exchange.Client = New-Object Net.Sockets.TcpClient $address.AddressFamily
        $Exchange.Client.ConnectAsync($address, [int]$Exchange.Port)
    }
}

function Enter-ExchangeRead {
    param([hashtable]$Exchange, [string]$Stage)
    Enter-ExchangeStage -Exchange $Exchange -Stage $Stage -Begin { $Exchange.Stream.ReadAsync($Exchange.Buffer, 0, $Exchange.Buffer.Length) }
}

function Enter-ExchangeSend {
    param([hashtable]$Exchange, [string]$Stage, [string]$Text)
    $bytes = [Text.Encoding]::ASCII.GetBytes($Text)
    Enter-ExchangeStage -Exchange $Exchange -Stage $Stage -Begin { $Exchange.Stream.WriteAsync($bytes, 0, $bytes.Length) }
}

# The task of the present stage has ended: the next one begins.
function Step-Exchange {
    param([hashtable]$Exchange)
    $failure = $Exchange.Task.Exception
    if ($failure) {
        $again = $Exchange.Stage -eq 'connect' -and $Exchange.Addresses.Count
        if ($again) { Enter-ExchangeConnect $Exchange } else { Stop-Exchange -Exchange $Exchange -Exception $failure }
        return
    }
    switch ($Exchange.Stage) {
        'resolve' {
            # IPv4 first: a dead IPv6 route must not use up the time.
            $Exchange['Addresses'] = @($Exchange.Task.Result | Sort-Object -Property { [int]$_.AddressFamily })
            if ($Exchange.Addresses.Count) { Enter-ExchangeConnect $Exchange } else { Stop-Exchange -Exchange $Exchange -Word 'no-address' }
        }
        'connect' {
            $Exchange.Stream = $Exchange.Client.GetStream()
            Enter-ExchangeSend -Exchange $Exchange -Stage 'send' -Text $Exchange.Text
        }
        'send' { Enter-ExchangeRead -Exchange $Exchange -Stage 'answer' }
        'answer' { Complete-ExchangeAnswer $Exchange }
        'tls' { Enter-ExchangeSend -Exchange $Exchange -Stage 'ask' -Text (Get-PageRequest $Exchange.Tunnel) }
        'ask' { Enter-ExchangeRead -Exchange $Exchange -Stage 'page' }
        'page' {
            $count = [int]$Exchange.Task.Result
            $Exchange['Drained'] = [int]$Exchange['Drained'] + $count
            if ($count -gt 0 -and $Exchange.Drained -lt $TunnelLimit) { Enter-ExchangeRead -Exchange $Exchange -Stage 'page' } else { Stop-Exchange -Exchange $Exchange }
        }
    }
}

function Complete-ExchangeAnswer {
    param([hashtable]$Exchange)
    $count = [int]$Exchange.Task.Result
    $Exchange.Received.Write($Exchange.Buffer, 0, $count)
    $text = [Text.Encoding]::ASCII.GetString($Exchange.Received.ToArray())
    # A tunnel begins behind the blank line; a head that never ends is judged by what there is.
    $whole = if ($Exchange.Tunnel) { $text.Contains($CrLf + $CrLf) } else { $text.Contains($Lf) }
    if (-not $whole -and $count -gt 0 -and $text.Length -lt $ExchangeLimit) { Enter-ExchangeRead -Exchange $Exchange -Stage 'answer'; return }
    if (-not $text) { Stop-Exchange -Exchange $Exchange -Word 'closed'; return }
    $line = [regex]::Replace(($text -split '\r?\n')[0], '[^\x20-\x7e]', '?')
    $Exchange.Line = $line.Substring(0, [Math]::Min(200, $line.Length))
    $Exchange['Ms'] = [Math]::Round($Survey.Clock.Elapsed.TotalMilliseconds - $Exchange.Started, 1)
    if (-not $Exchange.Tunnel -or -not $whole -or (Read-StatusCode $Exchange) -ne 200) { Stop-Exchange -Exchange $Exchange; return }
    Enter-ExchangeStage -Exchange $Exchange -Stage 'tls' -Begin {
        $Exchange.Stream = New-Object Net.Security.SslStream ($Exchange.Client.GetStream(), $false, (Get-AcceptingCallback))
        $Exchange.Stream.AuthenticateAsClientAsync($Exchange.Tunnel.host, $null, [Security.Authentication.SslProtocols]3072, $false)
    }
}

# The status of the answer, or $null where it is no HTTP.
function Read-StatusCode {
    param([hashtable]$Exchange)
    if ([string]$Exchange.Line -match '^HTTP/\d\.\d (\d{3})\b') { [int]$Matches[1] }
}

# What goes wrong behind the answer is the business of the probes.
function Stop-Exchange {
    param([hashtable]$Exchange, [string]$Word, $Exception)
    if (-not $Exchange.Line -and ($Word -or $Exception)) {
        $Exchange.Error = if ($Word) { $Word } else { Get-FailureWord $Exchange $Exception }
        $Exchange.Detail = if ($Exception) { (Get-ExceptionChain $Exception)[-1].Message.Trim() } else { "at: $($Exchange.Stage)" }
        $Exchange['Ms'] = [Math]::Round($Survey.Clock.Elapsed.TotalMilliseconds - $Exchange.Started, 1)
    }
    $Exchange.Stage = 'done'
    foreach ($part in $Exchange.Stream, $Exchange.Client) {
        if ($part) { try { $part.Close() } catch { continue } }
    }
}
