# The way to each peer, as Windows would take it: a link needs one in both directions.

# Peers at most, and the addresses of each.
$RouteLimit = 60
$RouteAddressLimit = 4

function Get-RouteSection {
    $asked = @(Get-PeerAddress)
    $ways = @(Get-WayTo @($asked | ForEach-Object { $_.Address }))
    $neighbours = $null
    foreach ($way in $ways) {
        $record = @{ peer = ($asked | Where-Object { $_.Address -eq $way.Address } | Select-Object -First 1).Peer; address = $way.Address }
        if ($way.Failure) {
            $record['error'] = Get-RouteWord $way
            $record['detail'] = $way.Failure
            $record
            continue
        }
        # An unspecified next hop: the peer is on a network of the machine's own.
        $isDirect = @('0.0.0.0', '::') -contains $way.NextHop
        if (-not $isDirect) { $record['via'] = $way.NextHop }
        $record['device'] = $way.Device
        $record['source'] = $way.Source
        if ($null -eq $neighbours) { $neighbours = @(Get-NeighbourRow) }
        $next = if ($isDirect) { $way.Address } else { $way.NextHop }
        $row = $neighbours | Where-Object { $_.Address -eq $next -and $_.Index -eq $way.Index } | Select-Object -First 1
        if ($row) { $record['neighbour'] = $row.State }
        $record
    }
}

# Peer and address, names looked up.
function Get-PeerAddress {
    foreach ($peer in @($Survey.Request.peers | Where-Object { $_ } | Select-Object -First $RouteLimit)) {
        $name = [string]$peer
        if ($name -as [ipaddress]) {
            @{ Peer = $name; Address = $name }
            continue
        }
        $task = try { [Net.Dns]::GetHostAddressesAsync($name) } catch { $null }
        if (-not $task) { continue }
        try { $null = $task.Wait([int](1000 * [Math]::Min(3, (Get-SectionSecond)))) } catch { continue }
        if (-not $task.IsCompleted) { continue }
        foreach ($address in @($task.Result | Select-Object -First $RouteAddressLimit)) { @{ Peer = $name; Address = ($address.ToString() -split '%')[0] } }
    }
}

# Whatever Windows answers to `Find-NetRoute`: an address to speak from and a route, or why there is none.
function Get-WayTo {
    param([string[]]$Address)
    if (-not $Address.Count) { return }
    $question = @{ Addresses = $Address; Seconds = [Math]::Max(1, (Get-SectionSecond) - 1) }
    Invoke-Aside -What 'Find-NetRoute' -Seconds ($question.Seconds + 1) -Argument $question -Call {
        param($Question)
        $clock = [Diagnostics.Stopwatch]::StartNew()
        foreach ($address in $Question.Addresses) {
            if ($clock.Elapsed.TotalSeconds -gt $Question.Seconds) { break }
            try {
                $found = @(Find-NetRoute -RemoteIPAddress $address -ErrorAction Stop)
            } catch {
                $id = [string]$_.FullyQualifiedErrorId
                # Only what Windows itself answers tells of the way: not a missing module, nor a refusal.
                if ($id -notlike '*,Find-NetRoute' -or $id -like 'Windows System Error 5,*') { throw }
                @{ Address = $address; Failure = $_.Exception.Message.Trim(); Id = $id }
                continue
            }
            $route = $found | Where-Object { $_.PSObject.Properties['NextHop'] } | Select-Object -First 1
            $own = $found | Where-Object { $_.PSObject.Properties['IPAddress'] } | Select-Object -First 1
            if (-not $route) { throw "Find-NetRoute named no route to $address" }
            @{
                Address = $address; NextHop = [string]$route.NextHop; Device = [string]$route.InterfaceAlias; Index = [int64]$route.InterfaceIndex
                Source = if ($own) { ([string]$own.IPAddress -split '%')[0] } else { $null }
            }
        }
    }
}

# ERROR_NETWORK_UNREACHABLE and ERROR_HOST_UNREACHABLE; of any other number nothing is claimed but that it is an error.
function Get-RouteWord {
    param([hashtable]$Way)
    if ($Way.Id -like 'Windows System Error 1231,*') { return 'no-route' }
    if ($Way.Id -like 'Windows System Error 1232,*') { return 'unreachable' }
    'other'
}

# The neighbours' table, in the words of Linux. Without it the ways are known all the same.
function Get-NeighbourRow {
    # MSFT_NetNeighbor: 0 unreachable, 1 incomplete, 2 probe, 3 delay, 4 stale, 5 reachable, 6 permanent.
    $words = @('failed', 'incomplete', 'probe', 'delay', 'stale', 'reachable', 'permanent')
    $rows = try {
        @(Invoke-Aside -What 'Get-NetNeighbor' -Seconds ([Math]::Min(3, (Get-SectionSecond))) -Call {
                foreach ($row in @(Get-NetNeighbor -ErrorAction Stop)) {
                    @{ Address = ([string]$row.IPAddress -split '%')[0]; Index = [int64]$row.InterfaceIndex; State = [int]$row.State }
                }
            })
    } catch { @() }
    foreach ($row in $rows) {
        if ($row.State -ge 0 -and $row.State -lt $words.Count) { @{ Address = $row.Address; Index = $row.Index; State = $words[$row.State] } }
    }
}
