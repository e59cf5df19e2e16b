# What the machine's own names lead to when it is asked itself: host name, full name, and those that it is declared with.

# Names at most, and the seconds that all of them may take together, from the time when they were asked.
$OwnNameLimit = 12
$OwnNamePatience = 5

function Start-OwnNameReading {
    $names = @($Survey.Cache['own'] | Where-Object { $_ }) + @($Survey.Request.names | Where-Object { $_ } | ForEach-Object { [string]$_ })
    $seen = @{}
    $asked = @(foreach ($name in $names) {
        if ($seen.Count -ge $OwnNameLimit -or $seen.ContainsKey($name) -or ($name -as [ipaddress])) { continue }
        $seen[$name] = $true
        $look = @{ Name = $name; Task = $null; Failure = $null; Stage = 'resolve' }
        # A name that cannot be one fails at once.
        try { $look.Task = [Net.Dns]::GetHostAddressesAsync($name) } catch { $look.Failure = $_.Exception }
        $look
    })
    @{ Asked = $asked; Clock = [Diagnostics.Stopwatch]::StartNew() }
}

function Get-OwnNameSection {
    $waiting = Get-Waiting 'own_names'
    foreach ($look in $waiting.Asked) {
        $patience = [Math]::Min($OwnNamePatience - $waiting.Clock.Elapsed.TotalSeconds, (Get-SectionSecond))
        if ($look.Task -and -not $look.Task.IsCompleted -and $patience -gt 0) {
            $null = [Threading.Tasks.Task]::WaitAny([Threading.Tasks.Task[]]@($look.Task), [int]($patience * 1000))
        }
        ConvertTo-OwnNameRecord $look
    }
}

function ConvertTo-OwnNameRecord {
    param([hashtable]$Look)
    if ($Look.Task -and -not $Look.Task.IsCompleted) { return @{ name = $Look.Name; error = 'timed-out' } }
    $failure = if ($Look.Task) { $Look.Task.Exception } else { $Look.Failure }
    if ($failure) {
        $cause = (Get-ExceptionChain $failure)[-1]
        $number = if ($cause -is [Net.Sockets.SocketException]) { "$([int]$cause.SocketErrorCode): " } else { '' }
        return @{ name = $Look.Name; error = Get-FailureWord $Look $failure; detail = $number + $cause.Message.Trim() }
    }
    $addresses = @($Look.Task.Result | ForEach-Object { ($_.ToString() -split '%')[0] })
    $record = @{ name = $Look.Name; addresses = $addresses }
    if (-not $addresses.Count) { $record['error'] = 'no-address' }
    $record
}
