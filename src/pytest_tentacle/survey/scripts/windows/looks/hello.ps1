# A hello of TLS 1.2 in our own bytes, after a handshake in which nothing came in time. Windows builds the chain of a
# certificate before it hands it over, and waits for its lists of roots where it cannot reach the Internet: then the silence
# is its own. Here nothing is built and nobody is trusted; any answer of TLS, an alert too, shows that the other end is awake.

# Milliseconds from the connection to the answer.
$HelloTime = 2500

# More than this a server does not say before it waits for us.
$HelloLimit = 65536

function Start-Hello {
    param([hashtable]$Probe)
    Close-Probe $Probe
    $Probe['Greeting'] = 'connect'
    $Probe['Received'] = New-Object IO.MemoryStream
    $Probe['Buffer'] = New-Object byte[] 8192
    $Probe.End = $Survey.Clock.Elapsed.TotalMilliseconds + [Math]::Min($HelloTime, (Get-RemainingSecond) * 1000)
    Enter-Stage -Probe $Probe -Stage 'hello' -Begin {
        $Probe.Client = New-Object Net.Sockets.TcpClient $Probe.Address.AddressFamily
        $Probe.Client.ConnectAsync($Probe.Address, [int]$Probe.Record.port)
    }
}

# What goes wrong here adds nothing to what is known.
function Complete-Hello {
    param([hashtable]$Probe, $Failure)
    if ($Failure) { $Probe.Stage = 'done'; return }
    switch ($Probe.Greeting) {
        'connect' {
            $Probe.Greeting = 'send'
            $bytes = Get-HelloByte ([string]$Probe.Record.host)
            Enter-Stage -Probe $Probe -Stage 'hello' -Begin { $Probe.Client.GetStream().WriteAsync($bytes, 0, $bytes.Length) } -Again
            $Probe.Until = $Probe.End
        }
        'send' { $Probe.Greeting = 'read'; Enter-HelloRead $Probe }
        'read' {
            $count = [int]$Probe.Task.Result
            if ($count -gt 0) { $Probe.Received.Write($Probe.Buffer, 0, $count) }
            $answer = Read-HelloAnswer $Probe.Received.ToArray()
            if ($answer.Spoken) {
                if (-not $Probe.Record.tls.ContainsKey('hello_ms')) { $Probe.Record.tls['hello_ms'] = [Math]::Round($Survey.Clock.Elapsed.TotalMilliseconds - $Probe.Started, 1) }
                if ($answer.Thumbprint) { $Probe.Record.tls['hello_thumbprint'] = $answer.Thumbprint }
            }
            if ($answer.Ended -or $count -le 0 -or $Probe.Received.Length -ge $HelloLimit) { $Probe.Stage = 'done' } else { Enter-HelloRead $Probe }
        }
    }
}

function Enter-HelloRead {
    param([hashtable]$Probe)
    Enter-Stage -Probe $Probe -Stage 'hello' -Begin { $Probe.Client.GetStream().ReadAsync($Probe.Buffer, 0, $Probe.Buffer.Length) } -Again
}

# RFC 5246, 7.4.1.2: suites of ECDHE and RSA, and the extensions for name, curves, their form, and signatures.
function Get-HelloByte {
    param([string]$Name)
    $random = New-Object byte[] 32
    (New-Object Random).NextBytes($random)
    $suites = 'C02FC030C02BC02CC027C028C013C014009C009D003C003D002F003500FF'
    $extensions = '000A00080006001D00170018000B00020100000D0018001608040805080604010501060104030503060302010203'
    if (-not ($Name -as [ipaddress]) -and $Name.Length -lt 250) {
        $plain = ConvertTo-HexText ([Text.Encoding]::ASCII.GetBytes($Name))
        $entry = '00' + (Get-HexLength $plain) + $plain
        $list = (Get-HexLength $entry) + $entry
        $extensions += '0000' + (Get-HexLength $list) + $list
    }
    $body = '0303' + (ConvertTo-HexText $random) + '00' + (Get-HexLength $suites) + $suites + '0100' + (Get-HexLength $extensions) + $extensions
    $message = '0100' + (Get-HexLength $body) + $body
    ConvertFrom-HexText ('160301' + (Get-HexLength $message) + $message)
}

function ConvertTo-HexText {
    param([byte[]]$Bytes)
    [BitConverter]::ToString($Bytes).Replace('-', '')
}

function ConvertFrom-HexText {
    param([string]$Text)
    $bytes = New-Object byte[] ($Text.Length / 2)
    for ($at = 0; $at -lt $bytes.Length; $at++) { $bytes[$at] = [Convert]::ToByte($Text.Substring($at * 2, 2), 16) }
    , $bytes
}

# Two bytes, in hexadecimal digits.
function Get-HexLength {
    param([string]$Text)
    '{0:X4}' -f [int]($Text.Length / 2)
}

# Records of the answer: 22 is a handshake, 21 an alert. In TLS 1.2 the certificate (message 11) is in clear, and 14 ends
# what a server says.
function Read-HelloAnswer {
    param([byte[]]$Bytes)
    $answer = @{ Spoken = $false; Ended = $false; Thumbprint = $null }
    $said = New-Object IO.MemoryStream
    $at = 0
    while ($at + 5 -le $Bytes.Length) {
        $type, $length = [int]$Bytes[$at], ([int]$Bytes[$at + 3] * 256 + [int]$Bytes[$at + 4])
        if (@(21, 22) -notcontains $type -or $Bytes[$at + 1] -ne 3) { $answer.Ended = $true; return $answer }
        $answer.Spoken = $true
        if ($type -eq 21) { $answer.Ended = $true; return $answer }
        if ($at + 5 + $length -gt $Bytes.Length) { break }
        $said.Write($Bytes, $at + 5, $length)
        $at += 5 + $length
    }
    $messages = $said.ToArray()
    $at = 0
    while ($at + 4 -le $messages.Length) {
        $length = [int]$messages[$at + 1] * 65536 + [int]$messages[$at + 2] * 256 + [int]$messages[$at + 3]
        if ($at + 4 + $length -gt $messages.Length) { break }
        if ($messages[$at] -eq 11 -and $length -ge 6) {
            $size = [int]$messages[$at + 7] * 65536 + [int]$messages[$at + 8] * 256 + [int]$messages[$at + 9]
            if ($size -gt 0 -and $size + 6 -le $length) {
                $der = New-Object byte[] $size
                [Array]::Copy($messages, $at + 10, $der, 0, $size)
                $answer.Thumbprint = ConvertTo-HexText ((New-Object Security.Cryptography.SHA1CryptoServiceProvider).ComputeHash($der))
            }
        }
        if (@(11, 14) -contains [int]$messages[$at]) { $answer.Ended = $true }
        $at += 4 + $length
    }
    $answer
}
