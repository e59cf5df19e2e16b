# What mostly waits for others (programs, DNS) is started here, goes on beside the sections that read, and is collected
# by sections of its own at the end.

function Start-Waiting {
    if (-not $Survey.Request.gather) { return }
    foreach ($name in $WaitingStarts.Keys) {
        try { $Survey.Cache["waiting $name"] = & $WaitingStarts[$name] } catch { $Survey.Failed["waiting $name"] = $_ }
    }
}

# What was started, or the failure to do so.
function Get-Waiting {
    param([string]$Name)
    if ($Survey.Failed.ContainsKey("waiting $Name")) { throw $Survey.Failed["waiting $Name"] }
    $Survey.Cache["waiting $Name"]
}

$WaitingStarts = @{
    reservations = { Start-ReservationReading }
    own_names    = { Start-OwnNameReading }
}
