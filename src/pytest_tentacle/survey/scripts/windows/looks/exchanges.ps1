# Plain HTTP, several questions at once: each resolves, connects, sends its few bytes and reads the first line of the answer.
# As with the probes, .NET does the waiting in tasks. A tunnel that a proxy opened is not just dropped: a connection that
# says nothing leaves an Error in the server's log, so a whole probe goes through it, and says what stands behind.

$CrLf = [string][char]13 + [char]10

# Bytes of an answer that are looked at for its first line.
$ExchangeLimit = 4096

# An exchange has Host, Port and Text, and Tunnel (host, port) where the answer 200 opens one. It ends with Line (the answer's
# first) or Error (a word) and Detail, and Ms; and Behind, the probe (link.ps1) that went through the tunnel.
function Invoke-Exchange {
    param([hashtable[]]$Exchange, [double]$Seconds)
    $end = $Survey.Clock.Elapsed.TotalMilliseconds + $Seconds * 1000
    $Survey.Cache['accept'] = Get-AcceptingCallback
    foreach ($one in $Exchange) { $one['End'] = $end; Start-Exchange $one }
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
        foreach ($one in $active) {
            while ($one.Stage -ne 'done' -and $one.Task.IsCompleted) { Step-Exchange $one }
            if ($one.Stage -eq 'behind' -and $Survey.Clock.Elapsed.TotalMilliseconds -ge $one.Behind.Until) { Stop-Exchange -Exchange $one -Word 'timed-out' }
        }
    }
}

function Start-Exchange {
    param([hashtable]$Exchange)
    $Exchange['Started'] = $Survey.Clock.Elapsed.TotalMilliseconds
    $Exchange['Buffer'] = New-Object byte[] 2048
    $Exchange['Received'] = New-Object IO.MemoryStream
    foreach ($name in 'Line', 'Error', 'Detail', 'Client', 'Stream', 'Task', 'Behind') { $Exchange[$name] = $null }
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
    if ($Exchange.Stage -eq 'behind') { Step-Behind $Exchange; return }
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
    $Exchange.Behind = New-Probe @{ link = $null; host = $Exchange.Tunnel.host; port = $Exchange.Tunnel.port; by = 'name'; Ping = $true }
    $Exchange.Behind['End'] = $Exchange.End
    $Exchange.Behind.Client = $Exchange.Client
    $Exchange.Stage = 'behind'
    Enter-Tls $Exchange.Behind
    Step-Behind $Exchange
}

# The probe behind the tunnel goes on by its own stages.
function Step-Behind {
    param([hashtable]$Exchange)
    if ($Exchange.Behind.Stage -ne 'done' -and $Exchange.Behind.Task.IsCompleted) { Step-Probe $Exchange.Behind }
    if ($Exchange.Behind.Stage -eq 'done') { Stop-Exchange -Exchange $Exchange } else { $Exchange.Task = $Exchange.Behind.Task }
}

# The status of the answer, or $null where it is no HTTP.
function Read-StatusCode {
    param([hashtable]$Exchange)
    if ([string]$Exchange.Line -match '^HTTP/\d\.\d (\d{3})\b') { [int]$Matches[1] }
}

# What goes wrong behind the answer is told by the probe there.
function Stop-Exchange {
    param([hashtable]$Exchange, [string]$Word, $Exception)
    if (-not $Exchange.Line -and ($Word -or $Exception)) {
        $Exchange.Error = if ($Word) { $Word } else { Get-FailureWord $Exchange $Exception }
        $Exchange.Detail = if ($Exception) { (Get-ExceptionChain $Exception)[-1].Message.Trim() } else { "at: $($Exchange.Stage)" }
        $Exchange['Ms'] = [Math]::Round($Survey.Clock.Elapsed.TotalMilliseconds - $Exchange.Started, 1)
    }
    if ($Exchange.Behind) {
        if ($Exchange.Behind.Stage -ne 'done') { Stop-ProbeStage -Probe $Exchange.Behind -Word 'timed-out' -Exception $null }
        Close-Probe $Exchange.Behind
    }
    $Exchange.Stage = 'done'
    foreach ($part in $Exchange.Stream, $Exchange.Client) {
        if ($part) { try { $part.Close() } catch { continue } }
    }
}
