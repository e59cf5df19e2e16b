# One CONNECT through the proxy that an instance polls through, to each of its first polled addresses. The bytes are
# Halibut's own (tentacle-facts 1.10), without credentials: these are not ours to read.

$ConnectLimit = 4
$TargetsPerInstance = 2

function Get-ProxyConnectSection {
    $exchanges = @(foreach ($instance in @(Get-KnownList 'instances')) { Get-ProxyExchange $instance }) | Select-Object -First $ConnectLimit
    if (-not $exchanges) { return }
    Invoke-Exchange -Exchange $exchanges -Seconds ([Math]::Min([double]$Survey.Request.probe_seconds, (Get-SectionSecond)))
    foreach ($one in $exchanges) { ConvertTo-ProxyConnectRecord $one }
}

# Only where the settings name a proxy in words that can be right: what the account's own proxy does depends on the
# Tentacle's .NET, which is not known here.
function Get-ProxyExchange {
    param([hashtable]$Instance)
    if ($Instance.Product -ne 'tentacle') { return }
    $proxy = ([string]$Instance.Settings['Octopus.Server.Proxy.ProxyHost'])
    if ($proxy -notmatch '^[^\s:/\\@?#\[\]]+$' -and -not ($proxy -as [ipaddress])) { return }
    if (([string]$Instance.Settings['Octopus.Server.Proxy.UseDefaultProxy']).Trim() -ne 'false') { return }
    $text = ([string]$Instance.Settings['Octopus.Server.Proxy.ProxyPort']).Trim()
    $port = if (-not $text) { 80 } elseif ($text -match '^\d{1,5}$') { [int]$text } else { 0 }
    if ($port -lt 1 -or $port -gt 65535) { return }
    foreach ($target in @(Get-PollingTarget $Instance | Select-Object -First $TargetsPerInstance)) {
        $name = if ($target.host.Contains(':')) { "[$(($target.host -split '%')[0])]" } else { $target.host }
        $place = "${name}:$($target.port)"
        @{
            Instance = $Instance.Name; Host = $proxy; Port = $port; Tunnel = @{ host = $target.host; port = $target.port }
            Text = "CONNECT $place HTTP/1.0${CrLf}Host: $place$CrLf$CrLf"
        }
    }
}

function ConvertTo-ProxyConnectRecord {
    param([hashtable]$Exchange)
    $words = @{ 'name-not-found' = 'name-not-found'; 'no-address' = 'name-not-found'; refused = 'refused'; 'timed-out' = 'timed-out'; closed = 'closed'; reset = 'closed' }
    $proxy = if ($Exchange.Host.Contains(':')) { "[$($Exchange.Host)]" } else { $Exchange.Host }
    $record = @{
        instance = $Exchange.Instance; proxy = "${proxy}:$($Exchange.Port)"; host = $Exchange.Tunnel.host; port = $Exchange.Tunnel.port
        detail = if ($Exchange.Line) { $Exchange.Line } else { $Exchange.Detail }; ms = $Exchange.Ms
    }
    if ($Exchange.Line) {
        $status = Read-StatusCode $Exchange
        if ($status) { $record['status'] = $status } else { $record['error'] = 'not-http' }
    } else {
        $word = $words[[string]$Exchange.Error]
        $record['error'] = if ($word) { $word } else { 'other' }
    }
    # Silence in the handshake may be Windows' own, which looks for its lists of roots: then nobody knows.
    $behind = if ($Exchange.Behind) { $Exchange.Behind.Record } else { @{} }
    if ($behind['tls'] -and -not ($behind.tls['error'] -eq 'timed-out' -and (Test-RootListWait))) {
        $record['tls'] = $behind.tls
        if ($behind['page']) { $record['page'] = $behind.page }
    }
    $record
}
