# Ports that Windows keeps from programs: ranges that it excludes, and URL prefixes that http.sys serves now. No cmdlet and no
# registry key tells either, so netsh does: both calls run beside the other sections. Its words are in the machine's
# language; only numbers and what looks like a URL are taken.

$NetshQuestions = @{
    excluded = 'interface ipv4 show excludedportrange protocol=tcp'
    http_sys = 'http show servicestate view=requestq verbose=no'
}

# Seconds that netsh may take, from the time when it was started.
$NetshPatience = 5

# As many are kept; a server of many sites has some hundred.
$ReservationLimit = 500

function Start-ReservationReading {
    $netsh = Get-Item -LiteralPath "$env:SystemRoot\System32\netsh.exe" -Force -ErrorAction Stop
    $programs = @{}
    foreach ($name in $NetshQuestions.Keys) { $programs[$name] = Start-Program -Item $netsh -Arguments $NetshQuestions[$name] }
    $programs
}

function Get-ReservationSection {
    $programs = Get-Waiting 'reservations'
    $text = @{}
    # Each is waited for, so that none stays behind when another one fails.
    foreach ($name in @($programs.Keys)) {
        $patience = [Math]::Max(0.1, [Math]::Min($NetshPatience - $programs[$name].Clock.Elapsed.TotalSeconds, (Get-SectionSecond)))
        $text[$name] = Wait-Program -Program $programs[$name] -Seconds $patience
    }
    # Each answer for itself: a machine without the HTTP service still has its excluded ranges.
    $unread = @{}
    foreach ($name in $text.Keys) {
        if ($null -eq $text[$name].ExitCode) { $unread[$name] = "netsh $($NetshQuestions[$name]) did not end in time" }
        elseif ($text[$name].ExitCode -ne 0) { $unread[$name] = "netsh $($NetshQuestions[$name]) ended with exit code $($text[$name].ExitCode)" }
    }
    $set = Get-WebServerSetting
    if ($unread.Count -eq $text.Count -and $null -eq $set.bindings) { throw $unread['excluded'] }
    $section = @{
        excluded = $null; http_sys = $null; bindings = $set.bindings; prefixes = $set.prefixes; unread_settings = $set.unread
        unread = if ($unread.Count) { @($unread.Values)[0] } else { $null }
    }
    if (-not $unread['excluded']) { $section.excluded = @(Get-ExcludedRange $text.excluded.Text | Select-Object -First $ReservationLimit) }
    if (-not $unread['http_sys']) { $section.http_sys = @(Get-UrlPrefix $text.http_sys.Text | Sort-Object -Unique | Select-Object -First $ReservationLimit) }
    $section
}

# Rows of two numbers. A row with an asterisk was set by an administrator: it only keeps the ports from being given to
# programs that ask for any, and lets those through that ask for one by its number.
function Get-ExcludedRange {
    param([string]$Text)
    foreach ($line in ($Text -split '\r?\n')) {
        if ($line -notmatch '^\s*(\d{1,5})\s+(\d{1,5})\s*$') { continue }
        $first, $last = [int]$Matches[1], [int]$Matches[2]
        if ($first -le $last -and $last -lt 65536) { @{ first = $first; last = $last } }
    }
}

function Get-UrlPrefix {
    param([string]$Text)
    foreach ($found in [regex]::Matches($Text, '(?i)\bhttps?://[\x21-\x7e]{1,300}')) { $found.Value }
}
