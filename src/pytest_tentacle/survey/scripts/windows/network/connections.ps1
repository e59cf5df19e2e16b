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

# All sockets of the machine, asked for once: with a list of ports a port without a row would be an error that takes the rows
# of the others away, and each question costs seconds where there are thousands. Rows before an error are no whole answer.
function Get-TcpTable {
    if ($Survey.Failed.ContainsKey('tcp')) { throw $Survey.Failed['tcp'] }
    if (-not $Survey.Cache.ContainsKey('tcp')) {
        try {
            $Survey.Cache['tcp'] = @(Invoke-Aside -What 'Get-NetTCPConnection' -Seconds 8 -Call {
                    foreach ($row in @(Get-NetTCPConnection -ErrorAction Stop)) {
                        @{
                            State = [int]$row.State; LocalAddress = [string]$row.LocalAddress; LocalPort = [int]$row.LocalPort
                            RemoteAddress = [string]$row.RemoteAddress; RemotePort = [int]$row.RemotePort
                            ProcessId = [int64]$row.OwningProcess; Created = $row.CreationTime
                        }
                    }
                })
        } catch {
            $Survey.Failed['tcp'] = $_
            throw
        }
    }
    $Survey.Cache['tcp']
}

function Get-TcpRow {
    param([int[]]$Local, [int[]]$Remote)
    $rows = try { @(Get-TcpTable) } catch { $null }
    if ($null -eq $rows) { $rows = @(Get-TcpRowByDotNet) }
    foreach ($row in $rows) {
        if ($Local -notcontains $row.LocalPort -and $Remote -notcontains $row.RemotePort) { continue }
        # 0 is the owner of what waits for its end.
        @{
            State = $row.State; LocalAddress = $row.LocalAddress; LocalPort = $row.LocalPort; RemoteAddress = $row.RemoteAddress; RemotePort = $row.RemotePort
            ProcessId = if ($row.ProcessId -gt 0) { $row.ProcessId } else { $null }
        }
    }
}

# .NET sees them without WMI and without rights, but not whose they are; netstat's states depend on the language.
function Get-TcpRowByDotNet {
    $table = [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties().GetActiveTcpConnections()
    foreach ($row in @($table)) {
        @{
            State = [int]$row.State; LocalAddress = $row.LocalEndPoint.Address.ToString(); LocalPort = [int]$row.LocalEndPoint.Port
            RemoteAddress = $row.RemoteEndPoint.Address.ToString(); RemotePort = [int]$row.RemoteEndPoint.Port; ProcessId = 0
        }
    }
}
