# Pings: the probes of link.ps1 again and again, all links side by side, on the same one thread. Only where the request
# asks for it. What the time did not allow for is simply not among the attempts.

# So many attempts are under way, and no further one begins: more would wait for this thread, and their times would be ours.
$PingLimit = 16

# Milliseconds between two attempts from which on they could be taken for Halibut's.
$PingClose = 850

# Characters of all different certificates of one link: one that shows another each time could fill the whole answer.
$PingCertificates = 33000

# Seconds that are kept for what comes after the pings.
$PingReserve = 3

function Invoke-Pinging {
    $order = $Survey.Request.ping
    if (-not $order) { return }
    $every = @(Get-LinkTarget -Asked $order.targets | ForEach-Object { New-PingSeries -Target $_ -Order $order })
    if (-not $every.Count) { return }
    $pool = 2 * [Math]::Min($PingLimit, $every.Count) + 8
    $null = [Threading.ThreadPool]::SetMinThreads($pool, $pool)
    $Survey.Cache['accept'] = Get-AcceptingCallback
    $begin = $Survey.Clock.Elapsed.TotalMilliseconds
    $left = ((Get-RemainingSecond) - $PingReserve - [double]$Survey.Request.probe_seconds) * 1000
    $seconds = [double]$order.seconds
    # What was not asked for as a duration is what so many links as may be under way need: more links have more.
    if (-not $order.is_duration) { $seconds *= [Math]::Ceiling($every.Count / $PingLimit) }
    $state = @{
        Begin = $begin; End = $begin + [Math]::Min($seconds * 1000, $left); Interval = [double]$order.interval * 1000
        First = New-Object Collections.Queue; Second = New-Object Collections.Queue; AtOnce = New-Object Collections.Queue; Active = New-Object Collections.ArrayList; Woke = $begin
    }
    if ($left -le 0) { foreach ($one in $every) { $one.Result['unavailable'] = 'no time left in the budget of the script' } }
    foreach ($one in $every) { $state.First.Enqueue($one) }
    while (Test-PingsGoOn $state) {
        Start-DueAttempt $state
        Wait-Attempt $state
    }
    foreach ($one in $every) {
        $one.Result['certificates'] = @($one.Certificates)
        $one.Result['attempts'] = @($one.Attempts | Where-Object { $_ })
        $one.Result
    }
}

# The request's, then those that the machine's own settings name; each host and port once.
function Get-LinkTarget {
    param([object[]]$Asked)
    $seen = @{}
    $targets = @($Asked | Where-Object { $_ } | ForEach-Object {
            @{ link = $_.link; host = [string]$_.host; port = [int]$_.port; by = [string]$_.by }
        })
    foreach ($instance in @($Survey.Cache['instances'] | Where-Object { $_ })) { $targets += @(Get-PollingTarget $instance) }
    foreach ($target in $targets) {
        $place = "$($target.host) $($target.port)"
        if ($seen.ContainsKey($place)) { continue }
        $seen[$place] = $true
        $target
    }
}

function New-PingSeries {
    param([hashtable]$Target, $Order)
    $result = @{ link = $Target.link; host = $Target.host; port = $Target.port; by = $Target.by; wanted = $Order.count; payload_bytes = [int]$Order.payload_bytes }
    $probed = @{ link = $Target.link; host = $Target.host; port = $Target.port; by = $Target.by; Ping = $true; Payload = [int]$Order.payload_bytes }
    @{
        Result = $result; Target = $probed; Due = 0.0; Started = 0; Begun = 0.0
        Attempts = New-Object Collections.ArrayList; Certificates = New-Object Collections.ArrayList
    }
}

function Test-PingsGoOn {
    param([hashtable]$State)
    if ($State.Active.Count) { return $true }
    ($State.First.Count + $State.Second.Count + $State.AtOnce.Count) -gt 0 -and $Survey.Clock.Elapsed.TotalMilliseconds -lt $State.End
}

# A first attempt, and any that came long after the one before it, is followed by one that has precedence over all others
# and no limit. So a row of connections that are a second or more apart, as Halibut's own attempts are, never comes of it,
# however busy this machine is: the next to read that log would take it for a server that is not let in.
function Start-DueAttempt {
    param([hashtable]$State)
    while ($true) {
        $now = $Survey.Clock.Elapsed.TotalMilliseconds
        if ($now -ge $State.End) { return }
        if ($State.AtOnce.Count) {
            Start-Attempt -State $State -Series $State.AtOnce.Dequeue() -Now $now -IsSecond
        } elseif ($State.Second.Count -and $State.Second.Peek().Due -le $now) {
            Start-Attempt -State $State -Series $State.Second.Dequeue() -Now $now -IsSecond
        } elseif ($State.First.Count -and $State.First.Peek().Due -le $now -and $State.Active.Count -lt $PingLimit) {
            Start-Attempt -State $State -Series $State.First.Dequeue() -Now $now
        } else { return }
    }
}

function Start-Attempt {
    param([hashtable]$State, [hashtable]$Series, [double]$Now, [switch]$IsSecond)
    $number = $Series.Started
    $isClose = $number -and $Now - $Series.Begun -lt $PingClose
    $Series.Started++
    $Series.Begun = $Now
    $Series.Due = $Now + $State.Interval
    $null = $Series.Attempts.Add($null)
    $wanted = $Series.Result.wanted
    if ($null -eq $wanted -or $Series.Started -lt [int]$wanted) {
        # The second queue is in the order of what is due: who is due at once would wait there for whoever is not.
        if ($isClose) { $State.First.Enqueue($Series) }
        elseif ($IsSecond) { $State.AtOnce.Enqueue($Series) }
        else { $State.Second.Enqueue($Series) }
    }
    $attempt = @{ Series = $Series; Number = $number; At = $Now - $State.Begin; Lag = 0.0; Probe = (Start-Probe $Series.Target) }
    if ($attempt.Probe.Stage -eq 'done') { Complete-Attempt $attempt } else { $null = $State.Active.Add($attempt) }
}

# Waits for whatever ends first, but no longer than until the next attempt is due. What a busy machine wakes us too late, and
# our own work from one wait to the next: by that much the times of the attempts under way may be too long.
function Wait-Attempt {
    param([hashtable]$State)
    $patience = 50
    foreach ($queue in $State.Second, $State.First) {
        if (-not $queue.Count) { continue }
        $until = [Math]::Min($queue.Peek().Due, $State.End) - $Survey.Clock.Elapsed.TotalMilliseconds
        $patience = [int][Math]::Max(1, [Math]::Min($patience, $until))
    }
    if (-not $State.Active.Count) {
        [Threading.Thread]::Sleep($patience)
        $State.Woke = $Survey.Clock.Elapsed.TotalMilliseconds
        return
    }
    Set-Lag $State
    $tasks = [Threading.Tasks.Task[]]@($State.Active | ForEach-Object { $_.Probe.Task })
    $planned = $Survey.Clock.Elapsed.TotalMilliseconds + $patience
    $null = [Threading.Tasks.Task]::WaitAny($tasks, $patience)
    $now = $Survey.Clock.Elapsed.TotalMilliseconds
    $State.Woke = [Math]::Min($now, $planned)
    foreach ($attempt in @($State.Active)) {
        $probe = $attempt.Probe
        if ($probe.Task.IsCompleted) { Step-Probe $probe } elseif ($now -ge $probe.Until) { Stop-ProbeStage -Probe $probe -Word 'timed-out' -Exception $null }
        if ($probe.Stage -eq 'done') {
            Set-Lag $State
            Close-Probe $probe
            $State.Active.Remove($attempt)
            Complete-Attempt $attempt
        }
    }
}

function Set-Lag {
    param([hashtable]$State)
    $busy = $Survey.Clock.Elapsed.TotalMilliseconds - $State.Woke
    foreach ($attempt in $State.Active) { if ($busy -gt $attempt.Lag) { $attempt.Lag = $busy } }
}

# Notes an attempt in its place: one that began later may have ended before.
function Complete-Attempt {
    param([hashtable]$Attempt)
    $record = $Attempt.Probe.Record
    if ($record['unavailable']) { return }
    $series = $Attempt.Series
    $told = @{ at = [Math]::Round($Attempt.At / 1000, 3); lag = [Math]::Round($Attempt.Lag, 1) }
    foreach ($stage in 'resolve', 'connect', 'tls', 'page') {
        if (-not $record[$stage]) { continue }
        $told[$stage] = $record[$stage].ms
        if ($record[$stage].error) {
            $told['stage'] = $stage
            $told['error'] = $record[$stage].error
        }
    }
    $certificate = if ($record['tls']) { $record['tls'].certificate } else { $null }
    $isKnown = $certificate -and $series.Certificates.Contains($certificate)
    $held = 0
    foreach ($one in $series.Certificates) { $held += $one.Length }
    if ($certificate -and ($isKnown -or $held + $certificate.Length -le $PingCertificates)) {
        if (-not $isKnown) { $null = $series.Certificates.Add($certificate) }
        $told['certificate'] = $series.Certificates.IndexOf($certificate)
    }
    $series.Attempts[$Attempt.Number] = $told
}
