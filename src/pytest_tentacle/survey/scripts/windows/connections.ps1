# TCP connections of the ports that matter: of our own ports, and to the servers that an instance polls.

# A server of a thousand Tentacles has some thousand; a pile of more tells nothing further.
$ConnectionLimit = 3000

function Get-ConnectionSection {
    $local = @(Get-PortOfInterest)
    $remote = @(10943) + @($Survey.Request.ports | Where-Object { $_ } | ForEach-Object { [int]$_ })
    foreach ($instance in @($Survey.Cache['instances'] | Where-Object { $_ })) {
        foreach ($target in @(Get-PollingTarget $instance)) { $remote += $target.port }
    }
    $remote = @($remote | Sort-Object -Unique)
    $seen = @{}
    foreach ($row in @(Get-TcpRow -Local $local -Remote $remote)) {
        $state = Get-ConnectionState $row.State
        $key = '{0} {1} {2} {3}' -f $row.LocalAddress, $row.LocalPort, $row.RemoteAddress, $row.RemotePort
        if (-not $state -or $seen.ContainsKey($key)) { continue }
        if ($seen.Count -ge $ConnectionLimit) { break }
        $seen[$key] = $true
        @{
            local_address = $row.LocalAddress; local_port = $row.LocalPort; remote_address = $row.RemoteAddress
            remote_port = $row.RemotePort; state = $state; pid = $row.ProcessId
        }
    }
}

# Numbers of MSFT_NetTCPConnection, the same as .NET's TcpState. No connection are 1 closed, 2 listen, 12 deleted, 100 bound.
function Get-ConnectionState {
    param([int]$Number)
    if (@(1, 2, 12, 100) -contains $Number) { return $null }
    $words = @{ 3 = 'syn-sent'; 5 = 'established'; 8 = 'close-wait'; 11 = 'time-wait' }
    if ($words.ContainsKey($Number)) { $words[$Number] } else { 'other' }
}

function Get-TcpRow {
    param([int[]]$Local, [int[]]$Remote)
    try {
        foreach ($filter in @{ LocalPort = [uint16[]]$Local }, @{ RemotePort = [uint16[]]$Remote }) {
            try {
                foreach ($row in @(Get-NetTCPConnection @filter -ErrorAction Stop)) {
                    $owner = [int64]$row.OwningProcess
                    @{
                        State = [int]$row.State; LocalAddress = [string]$row.LocalAddress; LocalPort = [int]$row.LocalPort
                        RemoteAddress = [string]$row.RemoteAddress; RemotePort = [int]$row.RemotePort
                        ProcessId = if ($owner -gt 0) { $owner } else { $null }
                    }
                }
            } catch {
                # No row is an error of its own.
                if ([string]$_.FullyQualifiedErrorId -notlike 'CmdletizationQuery_NotFound*') { throw }
            }
        }
    } catch {
        # .NET sees them without WMI and without rights, but not whose they are; netstat's states depend on the language.
        $table = [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties().GetActiveTcpConnections()
        foreach ($row in @($table)) {
            if ($Local -notcontains $row.LocalEndPoint.Port -and $Remote -notcontains $row.RemoteEndPoint.Port) { continue }
            @{
                State = [int]$row.State; LocalAddress = $row.LocalEndPoint.Address.ToString(); LocalPort = [int]$row.LocalEndPoint.Port
                RemoteAddress = $row.RemoteEndPoint.Address.ToString(); RemotePort = [int]$row.RemoteEndPoint.Port; ProcessId = $null
            }
        }
    }
}
