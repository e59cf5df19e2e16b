# Probes: resolve, connect, TLS, page and, on request, Halibut's identity lines. All targets go on at once: .NET does the
# waiting in tasks, and this one thread moves each probe from stage to stage. Each is one connection and one whole GET,
# which leaves no more in a log than a browser does. No script block ever runs on another thread.

# ping.ps1 makes the same probes many times over; a target's `Ping` says so, and `Payload` how many bytes to send along.
# versions.ps1 makes them with one version of TLS, by its number in `Protocol`.

# So many probes are under way at most.
$ProbeLimit = 256

# An Octopus page has 1.2 kB; more bytes than this are not read.
$PageLimit = 65536

# Bytes of a certificate that is kept, which are hundreds of names; of a longer one the thumbprint is told. A machine that
# looks at hundreds of ports could not send the largest that each may show.
$CertificateLimit = 24000

# Halibut's line of identity has some 20 bytes, and the head of a page some 150: longer ones are not looked through.
$LineLimit = 4096
$HeadLimit = 16384

# What one probe may do while the others wait: a peer that sends without end, byte by byte, always has the next one ready.
$StepLimit = 32

# Of a name's addresses behind the one that answers, so many are looked at as well, in so many milliseconds each: a
# product may get one of them next time.
$OtherLimit = 3
$OtherTime = 3000

# Milliseconds for the peer to close after its answer is whole; a foreign web server may keep the connection.
$LingerTime = 2000

# Milliseconds for a connection to be refused: Windows repeats its SYN after a RST, so that takes 1 to 2 s.
$RefusalTime = 2500

# Milliseconds of a handshake while Windows looks for its lists of trusted roots at an Internet that it cannot reach: it
# builds the certificate's chain before it asks us whether that matters, and waits for 15 s.
$RootListTime = 20000

# Milliseconds from one look at the probes to the next that a busy host, or many probes, may take of each one's time.
$LateTime = 500

# Of several addresses' failures, the one that tells most comes first.
$TellingOrder = 'refused', 'reset', 'prohibited', 'timed-out', 'unreachable', 'other'

# With Part they go out as records of it as they end, so that whatever ends the script does not take away those that were
# there; else they come back, in the order of their targets.
function Invoke-Probing {
    param([object[]]$Target, [string]$Part)
    if (-not $Target) { return }
    $pool = [Math]::Min($ProbeLimit, $Target.Count) + 8
    $null = [Threading.ThreadPool]::SetMinThreads($pool, $pool)
    $Survey.Cache['accept'] = Get-AcceptingCallback
    $records = @{}
    $next = 0
    $active = New-Object Collections.ArrayList
    $seen = $Survey.Clock.Elapsed.TotalMilliseconds
    $Survey.Cache['lag'] = 0
    while ($active.Count -or $next -lt $Target.Count) {
        while ($next -lt $Target.Count -and $active.Count -lt $ProbeLimit) {
            $probe = Start-Probe $Target[$next]
            if ($probe.Stage -ne 'done' -or -not $Part) { $records[$next] = $probe.Record } else { Write-Record $Part @(, $probe.Record) }
            $next++
            if ($probe.Stage -ne 'done') { $null = $active.Add($probe) }
        }
        if (-not $active.Count) { continue }
        $tasks = [Threading.Tasks.Task[]]@($active | ForEach-Object { $_.Task })
        $null = [Threading.Tasks.Task]::WaitAny($tasks, 50)
        $now = $Survey.Clock.Elapsed.TotalMilliseconds
        if ($now - $seen -gt $LateTime) { Add-ProbeTime -Probe @($active) -Late ($now - $seen - $LateTime) }
        $Survey.Cache['lag'] = [Math]::Max($Survey.Cache['lag'], [Math]::Round($now - $seen, 1))
        $seen = $now
        $ended = @()
        foreach ($probe in @($active)) {
            if ($probe.Task.IsCompleted) { Step-Probe $probe } elseif ($now -ge $probe.Until) { Stop-ProbeStage -Probe $probe -Word 'timed-out' -Exception $null }
            if ($probe.Stage -eq 'done') {
                Close-Probe $probe
                $active.Remove($probe)
                $other = Get-NextLook $probe
                if ($other.Stage -ne 'done') { $null = $active.Add($other) } else { $ended += $other.Record }
            }
        }
        if ($Part -and $ended.Count) { Write-Record $Part $ended }
    }
    if ($Part) { return }
    for ($index = 0; $index -lt $Target.Count; $index++) { $records[$index] }
}

# The look at the next address of the same name, behind the one that answered; else what has ended, with all that was
# tried in its record. Each is a probe of its own whose record nobody gets to see.
function Get-NextLook {
    param([hashtable]$Probe)
    $first = if ($Probe['First']) { $Probe.First } else { $Probe }
    if ($first.Ping -or $first.Protocol -or -not $first['Several']) { return $first }
    if ($Probe.Stage -eq 'done' -and $Probe['Address'] -and $Probe.Record['connect']) { Add-Tried -Probe $Probe -First $first }
    while ($first.Others.Count) {
        $address = $first.Others[0]
        $first.Others = @($first.Others | Select-Object -Skip 1)
        $next = Start-Probe @{ link = $first.Record.link; host = $first.Record.host; port = $first.Record.port; by = $first.Record.by; Only = $address }
        $next['First'] = $first
        if ($next.Stage -ne 'done') { return $next }
        if ($next['Address'] -and $next.Record['connect']) { Add-Tried -Probe $next -First $first }
    }
    if ($first.Tried.Count) { $first.Record['connect']['tried'] = @($first.Tried) }
    $first
}

# How the look at the address went that connected last, or at those that failed before it.
function Add-Tried {
    param([hashtable]$Probe, [hashtable]$First)
    foreach ($attempt in $Probe.Attempts) {
        $First.Tried += @{ address = $attempt.Address; ms = $attempt.Time; stage = 'connect'; error = $attempt.Word }
    }
    if ($Probe.Record.connect['error']) { return }
    $tried = @{ address = $Probe.Address.ToString(); ms = $Probe['Connected'] }
    foreach ($stage in 'tls', 'page') {
        $record = $Probe.Record[$stage]
        if ($record -and $record['error'] -and -not $tried['error']) { $tried['stage'] = $stage; $tried['error'] = $record.error; $tried['ms'] = $record.ms }
    }
    if ($Probe['Thumbprint']) { $tried['thumbprint'] = $Probe.Thumbprint }
    $First.Tried += $tried
}

# Time in which we did not get to look is no silence of the peers'. Never more than is left of the script's own.
function Add-ProbeTime {
    param([object[]]$Probe, [double]$Late)
    $end = $Survey.Clock.Elapsed.TotalMilliseconds + (Get-RemainingSecond) * 1000
    foreach ($each in $Probe) {
        $each.End = [Math]::Max($each.End, [Math]::Min($each.End + $Late, $end))
        $each.Until = [Math]::Min($each.Until + $Late, $each.End)
    }
}

# Accepts every certificate: the thumbprint is compared later. Compiled, since .NET calls it on threads without PowerShell.
function Get-AcceptingCallback {
    $expression = [Linq.Expressions.Expression]
    $parameters = [Linq.Expressions.ParameterExpression[]]@(
        $expression::Parameter([object], 'sender')
        $expression::Parameter([Security.Cryptography.X509Certificates.X509Certificate], 'certificate')
        $expression::Parameter([Security.Cryptography.X509Certificates.X509Chain], 'chain')
        $expression::Parameter([Net.Security.SslPolicyErrors], 'errors')
    )
    $yes = $expression::Constant($true)
    $expression::Lambda([Net.Security.RemoteCertificateValidationCallback], $yes, $parameters).Compile()
}

function New-Probe {
    param([hashtable]$Target)
    $record = @{ link = $Target.link; host = $Target.host; port = $Target.port; by = $Target.by }
    $probe = @{ Record = $record; Stage = 'done'; Addresses = @(); Attempts = @(); Client = $null; Tls = $null; Task = $null; Identity = $false; Others = @(); Tried = @() }
    $probe['Spoken'] = $Survey.Request.identity -and -not $Target.Ping -and -not $Target.Protocol
    $probe['Ping'] = [bool]$Target.Ping
    $probe['Protocol'] = [int]$Target.Protocol
    $probe['Payload'] = [int]$Target.Payload
    $probe
}

function Start-Probe {
    param([hashtable]$Target)
    $probe = New-Probe $Target
    $left = (Get-RemainingSecond) * 1000
    if ($left -lt 100) {
        $probe.Record['unavailable'] = 'no time left in the budget of the script'
        return $probe
    }
    $probe['Started'] = $Survey.Clock.Elapsed.TotalMilliseconds
    $probe['End'] = $probe.Started + [Math]::Min([double]$Survey.Request.probe_seconds * 1000, $left)
    if ($Target['Only']) {
        $probe['Addresses'] = @($Target.Only)
        $probe.Spoken = $false
        $probe.End = [Math]::Min($probe.End, $probe.Started + $OtherTime)
        Start-Connect $probe
        return $probe
    }
    $literal = $Target.host -as [ipaddress]
    if ($literal) {
        $probe['Addresses'] = @($literal)
        Start-Connect $probe
    } else {
        Enter-Stage -Probe $probe -Stage 'resolve' -Begin { [Net.Dns]::GetHostAddressesAsync($probe.Record.host) }
    }
    $probe
}

# Starts a stage's task; what it throws at once counts like what it fails with later.
function Enter-Stage {
    param([hashtable]$Probe, [string]$Stage, [scriptblock]$Begin, [switch]$Again)
    $Probe.Stage = $Stage
    if (-not $Again) { $Probe.Started = $Survey.Clock.Elapsed.TotalMilliseconds }
    $Probe.Until = $Probe.End
    try { $Probe.Task = & $Begin } catch { Stop-ProbeStage -Probe $Probe -Word (Get-FailureWord $Probe $_.Exception) -Exception $_.Exception }
}

# The task of the present stage has ended: note it and begin the next. Goes on as long as nothing has to be waited for,
# but lets the others have their turn.
function Step-Probe {
    param([hashtable]$Probe)
    for ($steps = 0; $steps -lt $StepLimit -and $Probe.Stage -ne 'done' -and $Probe.Task.IsCompleted; $steps++) {
        $failure = $Probe.Task.Exception
        switch ($Probe.Stage) {
            'resolve' { Complete-Resolve $Probe $failure }
            'connect' { Complete-Connect $Probe $failure }
            'tls' { Complete-Tls $Probe $failure }
            'hello' { Complete-Hello $Probe $failure }
            'send' { Complete-Send $Probe $failure }
            'page' { Complete-Read $Probe $failure }
            'identity' { Complete-Read $Probe $failure }
        }
    }
}

function Complete-Resolve {
    param([hashtable]$Probe, $Failure)
    if ($Failure) { Stop-ProbeStage -Probe $Probe -Word (Get-FailureWord $Probe $Failure) -Exception $Failure; return }
    $Probe.Addresses = @($Probe.Task.Result)
    if (-not $Probe.Addresses.Count) { Stop-ProbeStage -Probe $Probe -Word 'no-address' -Exception $null; return }
    Set-StageRecord -Probe $Probe -Stage 'resolve' -Values @{ addresses = @($Probe.Addresses | ForEach-Object { $_.ToString() }) }
    $Probe['Several'] = $Probe.Addresses.Count -gt 1 -and $Probe.Record.by -eq 'name'
    Start-Connect $Probe
}

# The addresses one after the other; each may use its share of the time, so that a dead first one leaves some to the next,
# but never so little that a refusal would be taken for silence.
function Start-Connect {
    param([hashtable]$Probe, [switch]$Again)
    $address = $Probe.Addresses[0]
    $share = $Probe.Addresses.Count
    $Probe.Addresses = @($Probe.Addresses | Select-Object -Skip 1)
    $Probe['Address'] = $address
    $Probe['Since'] = $Survey.Clock.Elapsed.TotalMilliseconds
    Enter-Stage -Probe $Probe -Stage 'connect' -Again:$Again -Begin {
        $Probe.Client = New-Object Net.Sockets.TcpClient $Probe.Address.AddressFamily
        $Probe.Client.ConnectAsync($Probe.Address, [int]$Probe.Record.port)
    }
    $now = $Survey.Clock.Elapsed.TotalMilliseconds
    # A slow look-up, or little time in all, must not turn a refusal into silence. A ping goes by its own clock.
    if (-not $Probe.Ping) { $Probe.End = [Math]::Max($Probe.End, $now + [Math]::Min($RefusalTime, (Get-RemainingSecond) * 1000)) }
    $Probe.Until = [Math]::Min($Probe.End, $now + [Math]::Max($RefusalTime, ($Probe.End - $now) / $share))
}

function Complete-Connect {
    param([hashtable]$Probe, $Failure)
    if ($Failure) { Stop-ProbeStage -Probe $Probe -Word (Get-FailureWord $Probe $Failure) -Exception $Failure; return }
    Set-StageRecord -Probe $Probe -Stage 'connect' -Values @{ address = $Probe.Address.ToString(); detail = Get-AttemptText $Probe; lag_ms = $Survey.Cache['lag'] }
    if (-not $Probe.Identity) {
        $Probe['Connected'] = [Math]::Round($Survey.Clock.Elapsed.TotalMilliseconds - $Probe.Since, 1)
        $Probe['Others'] = @($Probe.Addresses | Select-Object -First $OtherLimit)
        $Probe.Addresses = @()
    }
    # The peer is not to blame for what Windows does here; the page gets its time, too. A ping goes by its own clock.
    if (-not $Probe.Ping -and (Test-RootListWait)) { $Probe.End = [Math]::Max($Probe.End, $Survey.Clock.Elapsed.TotalMilliseconds + [Math]::Min($RootListTime, (Get-RemainingSecond) * 1000)) }
    Enter-Tls $Probe
}

function Enter-Tls {
    param([hashtable]$Probe)
    Enter-Stage -Probe $Probe -Stage 'tls' -Begin {
        $Probe.Tls = New-Object Net.Security.SslStream ($Probe.Client.GetStream(), $true, $Survey.Cache['accept'])
        Start-Handshake $Probe
    }
}

# Whether a handshake may have to wait for the lists of roots: Windows may fetch them, and has not done so for a month.
function Test-RootListWait {
    if (-not $Survey.Cache.ContainsKey('root lists')) {
        $fact = try { Get-RootListFact } catch { $null }
        $synced = if ($fact -and $fact.synced_utc) { [datetime]::UtcNow - ([datetime]$fact.synced_utc).ToUniversalTime() -lt [timespan]::FromDays(30) } else { $false }
        $Survey.Cache['root lists'] = $null -ne $fact -and -not $fact.disabled -and -not $fact.own_source -and -not $synced
    }
    $Survey.Cache['root lists']
}

function Get-AttemptText {
    param([hashtable]$Probe)
    if ($Probe.Attempts.Count) { @($Probe.Attempts | ForEach-Object { $_.Text }) -join '; ' } else { $null }
}

# None (0) leaves the choice to the system and needs .NET 4.7; where it is refused, TLS 1.2 (3072) is asked for.
function Start-Handshake {
    param([hashtable]$Probe)
    try {
        $Probe.Tls.AuthenticateAsClientAsync($Probe.Record.host, $null, [Security.Authentication.SslProtocols]$Probe.Protocol, $false)
    } catch {
        if ($Probe.Protocol -or -not (Test-Chain $_.Exception ([ArgumentException]))) { throw }
        $Probe['Offered'] = 'TLSv1.2 alone was offered: this .NET cannot leave the choice to Windows'
        $Probe.Tls.AuthenticateAsClientAsync($Probe.Record.host, $null, [Security.Authentication.SslProtocols]3072, $false)
    }
}

function Complete-Tls {
    param([hashtable]$Probe, $Failure)
    if ($Failure) { Stop-ProbeStage -Probe $Probe -Word (Get-FailureWord $Probe $Failure) -Exception $Failure; return }
    $certificate = $Probe.Tls.RemoteCertificate
    $values = @{ version = Get-TlsVersion ([int]$Probe.Tls.SslProtocol); cipher = Get-CipherName $Probe.Tls }
    $words = @($Probe['Offered'])
    if ($certificate) {
        if (-not $Probe.Identity) { $Probe['Thumbprint'] = $certificate.GetCertHashString() }
        $bytes = $certificate.GetRawCertData()
        if ($bytes.Length -le $CertificateLimit) {
            $values['certificate'] = [Convert]::ToBase64String($bytes)
        } else {
            $values['stands_for'] = $certificate.GetCertHashString()
            $words += "its certificate has $($bytes.Length) bytes: of so long a one the thumbprint is kept"
        }
    }
    $values['detail'] = @($words | Where-Object { $_ }) -join '; '
    if (-not $values.detail) { $values.detail = $null }
    Set-StageRecord -Probe $Probe -Stage 'tls' -Values $values
    $text = if ($Probe.Identity) { "MX$CrLf$CrLf" } else { Get-PageRequest -Record $Probe.Record -Payload $Probe.Payload }
    $Probe['Received'] = New-Object IO.MemoryStream
    $Probe['Head'] = @{ Looked = 0; Whole = $null }
    $Probe['Buffer'] = New-Object byte[] 8192
    $Probe['Lines'] = if ($Probe.Identity) { @("MX-CLIENT 1.0$CrLf$CrLf") } else { @() }
    Enter-Stage -Probe $Probe -Stage 'send' -Begin { Send-Text $Probe $text }
}

function Get-PageRequest {
    param([hashtable]$Record, [int]$Payload)
    $line = if ($Payload) { ('A' * $Payload) + $CrLf } else { '' }
    $name = ($Record.host -split '%')[0]
    if ($name.Contains(':')) { $name = "[$name]" }
    "GET / HTTP/1.1${CrLf}Host: ${name}:$($Record.port)${CrLf}Connection: close$CrLf$line$CrLf"
}

function Send-Text {
    param([hashtable]$Probe, [string]$Text)
    $bytes = [Text.Encoding]::ASCII.GetBytes($Text)
    $Probe.Tls.WriteAsync($bytes, 0, $bytes.Length)
}

# A refusal may already show while we write: what the peer has said by then is still to be read.
function Complete-Send {
    param([hashtable]$Probe, $Failure)
    if (-not $Failure -and $Probe.Lines.Count) {
        $text = $Probe.Lines[0]
        $Probe.Lines = @($Probe.Lines | Select-Object -Skip 1)
        Enter-Stage -Probe $Probe -Stage 'send' -Begin { Send-Text $Probe $text } -Again
        return
    }
    $stage = if ($Probe.Identity) { 'identity' } else { 'page' }
    Enter-Stage -Probe $Probe -Stage $stage -Begin { $Probe.Tls.ReadAsync($Probe.Buffer, 0, $Probe.Buffer.Length) } -Again
}

# Reads to the end of the stream. Halibut ends without TLS's own farewell, which some versions of .NET report as a failure.
function Complete-Read {
    param([hashtable]$Probe, $Failure)
    $count = if ($Failure) { 0 } else { [int]$Probe.Task.Result }
    if ($count -gt 0) { $Probe.Received.Write($Probe.Buffer, 0, $count) }
    $limit = if ($Probe.Identity) { $LineLimit } else { $PageLimit }
    if ($count -gt 0 -and $Survey.Clock.Elapsed.TotalMilliseconds -ge $Probe.End) {
        Stop-ProbeStage -Probe $Probe -Word 'timed-out' -Exception $null
    } elseif ($count -gt 0 -and $Probe.Received.Length -lt $limit -and -not ($Probe.Identity -and (Get-FirstLine $Probe))) {
        Enter-Stage -Probe $Probe -Stage $Probe.Stage -Begin { $Probe.Tls.ReadAsync($Probe.Buffer, 0, $Probe.Buffer.Length) } -Again
        if (Test-WholePage $Probe) { $Probe.Until = [Math]::Min($Probe.End, $Survey.Clock.Elapsed.TotalMilliseconds + $LingerTime) }
    } elseif ($Probe.Identity) {
        Complete-Identity $Probe $Failure
    } else {
        Complete-Page $Probe $Failure
    }
}

function Get-ReceivedText {
    param([hashtable]$Probe)
    [Text.Encoding]::UTF8.GetString($Probe.Received.ToArray())
}

function Get-FirstLine {
    param([hashtable]$Probe)
    if ((Get-ReceivedText $Probe) -match '^([^\r\n]+)\r?\n') { [string]$Matches[1] }
}

function Complete-Page {
    param([hashtable]$Probe, $Failure, [string]$Word)
    $length = [int]$Probe.Received.Length
    if ($length -eq 0) {
        if (-not $Word) { $Word = if ($Failure) { Get-FailureWord $Probe $Failure } else { 'closed' } }
        Stop-ProbeStage -Probe $Probe -Word $Word -Exception $Failure
        return
    }
    $text = Get-ReceivedText $Probe
    $record = @{ text = $text.Substring(0, [Math]::Min(2000, $text.Length)); length = $length }
    if (-not $text.StartsWith('HTTP/', [StringComparison]::Ordinal)) {
        $record['error'] = 'not-http'
    } elseif (-not (Test-WholePage $Probe)) {
        if ($Word) { $record['error'] = $Word } elseif ($Failure) { $record['error'] = Get-FailureWord $Probe $Failure }
    }
    Set-StageRecord -Probe $Probe -Stage 'page' -Values $record
    $Probe.Stage = 'done'
    if ($Probe.Spoken -and -not $record.error) {
        Close-Probe $Probe
        $Probe.Identity = $true
        $Probe.Addresses = @($Probe.Address)
        $Probe.Attempts = @()
        $Probe.End = $Survey.Clock.Elapsed.TotalMilliseconds + [Math]::Min([double]$Survey.Request.probe_seconds, (Get-RemainingSecond)) * 1000
        Start-Connect $Probe
    }
}

# A server that keeps the connection open has said all when its Content-Length is there. The head is looked for until it
# has been found, and never again.
function Test-WholePage {
    param([hashtable]$Probe)
    $head = $Probe.Head
    if ($null -eq $head.Whole -and $head.Looked -lt $HeadLimit) {
        $head.Looked = [int]$Probe.Received.Length
        $bytes = $Probe.Received.ToArray()
        $text = [Text.Encoding]::GetEncoding(28591).GetString($bytes, 0, [Math]::Min($bytes.Length, $HeadLimit))
        $end = $text.IndexOf($CrLf + $CrLf, [StringComparison]::Ordinal)
        if ($end -ge 0) { $head.Whole = if ($text.Substring(0, $end) -match '(?im)^Content-Length:\s*(\d{1,9})') { $end + 4 + [int]$Matches[1] } else { [int]::MaxValue } }
    }
    $null -ne $head.Whole -and $Probe.Received.Length -ge $head.Whole
}

function Complete-Identity {
    param([hashtable]$Probe, $Failure)
    $line = Get-FirstLine $Probe
    if (-not $line) {
        # Closed or reset without a byte: the peer does not trust who has no certificate.
        $word = if ($Failure) { Get-FailureWord $Probe $Failure } else { 'closed' }
        Stop-ProbeStage -Probe $Probe -Word $(if (@('closed', 'reset') -contains $word) { 'untrusted' } else { $word }) -Exception $Failure
        return
    }
    $record = @{ line = $line.Substring(0, [Math]::Min(1000, $line.Length)) }
    if (-not $line.StartsWith('MX-SERVER', [StringComparison]::Ordinal)) { $record['error'] = 'other' }
    Set-StageRecord -Probe $Probe -Stage 'identity' -Values $record
    $Probe.Stage = 'done'
}

# Ends the present stage with a failure. A connect may have other addresses to try; a page may have come in part.
function Stop-ProbeStage {
    param([hashtable]$Probe, [string]$Word, $Exception)
    if ($Probe.Stage -eq 'connect') { Stop-Connect -Probe $Probe -Word $Word -Exception $Exception; return }
    if ($Probe.Stage -eq 'page' -and $Word -eq 'timed-out' -and $Probe.Received.Length) { Complete-Page -Probe $Probe -Failure $null -Word $Word; return }
    if ($Probe.Stage -eq 'hello') { $Probe.Stage = 'done'; return }
    $stage = if ($Probe.Stage -eq 'send') { 'page' } else { $Probe.Stage }
    $details = @(if ($Exception) { (Get-ExceptionChain $Exception)[-1].Message }) + @(if ($stage -eq 'tls') { $Probe['Offered'] })
    $detail = @($details | Where-Object { $_ }) -join '; '
    Set-StageRecord -Probe $Probe -Stage $stage -Values @{ error = $Word; detail = if ($detail) { $detail } else { $null } }
    # Silence here may be Windows' own: see hello.ps1.
    if ($stage -eq 'tls' -and $Word -eq 'timed-out' -and -not ($Probe.Ping -or $Probe.Protocol -or $Probe.Identity)) { Start-Hello $Probe; return }
    $Probe.Stage = 'done'
}

function Stop-Connect {
    param([hashtable]$Probe, [string]$Word, $Exception)
    $address = $Probe.Address.ToString()
    $text = "${address}: $Word"
    if ($Exception) { $text += ' (' + (Get-FailureText $Word $Exception) + ')' }
    $Probe.Attempts += @{ Word = $Word; Address = $address; Text = $text; Time = [Math]::Round($Survey.Clock.Elapsed.TotalMilliseconds - $Probe.Since, 1) }
    Close-Probe $Probe
    if ($Probe.Addresses.Count) { Start-Connect $Probe -Again; return }
    $worst = $Probe.Attempts | Sort-Object -Property { [Array]::IndexOf($TellingOrder, $_.Word) } | Select-Object -First 1
    Set-StageRecord -Probe $Probe -Stage 'connect' -Values @{ error = $worst.Word; address = $worst.Address; detail = Get-AttemptText $Probe }
    $Probe.Stage = 'done'
}

# The second connection, for the identity lines, has one stage in the document, with few words.
function Set-StageRecord {
    param([hashtable]$Probe, [string]$Stage, [hashtable]$Values)
    $Values['ms'] = [Math]::Round($Survey.Clock.Elapsed.TotalMilliseconds - $Probe.Started, 1)
    if (-not $Probe.Identity) {
        $Probe.Record[$Stage] = $Values
    } elseif ($Stage -eq 'identity' -or $Values.error) {
        if ($Values.error -and @('timed-out', 'untrusted') -notcontains $Values.error) { $Values.error = 'other' }
        $Values.Remove('address')
        $Probe.Record['identity'] = $Values
    }
}

function Close-Probe {
    param([hashtable]$Probe)
    foreach ($part in $Probe.Tls, $Probe.Client) {
        if ($part) { try { $part.Close() } catch { continue } }
    }
    $Probe.Tls = $null
    $Probe.Client = $null
}
