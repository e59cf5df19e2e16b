# What to probe: the request's targets and, when all is gathered, the links in the machine's own configuration.

function Get-ProbeTarget {
    foreach ($target in @($Survey.Request.targets | Where-Object { $_ })) {
        @{ link = $target.link; host = [string]$target.host; port = [int]$target.port; by = [string]$target.by }
    }
    foreach ($instance in @($Survey.Cache['instances'] | Where-Object { $_ })) {
        Get-LocalTarget $instance
        Get-PollingTarget $instance
    }
}

# What comes back with the answer to a look that the machine's own settings asked for.
function Get-OwnLink {
    param([hashtable]$Instance)
    @{ vantage = [string]$Instance.Product; instance = [string]$Instance.Name }
}

function Get-LocalTarget {
    param([hashtable]$Instance)
    $port = Get-InstancePort $Instance
    if ($Instance.Settings.Count -eq 0 -or -not $port) { return }
    if ($Instance.Product -eq 'tentacle' -and $Instance.Settings['Tentacle.Services.NoListen'] -eq 'true') { return }
    $address = if ($Instance.Product -eq 'tentacle') { ([string]$Instance.Settings['Tentacle.Services.ListenIP']).Trim() } else { '' }
    if (-not $address -or @('0.0.0.0', '::', '*', '+', 'any') -contains $address) { $address = 'localhost' }
    @{ link = (Get-OwnLink $Instance); host = $address; port = $port; by = 'local' }
}

# Style 2, TentacleActive, is polling; it may be written as a number or a word.
function Get-PollingTarget {
    param([hashtable]$Instance)
    foreach ($server in @(Get-TrustedServer $Instance)) {
        if (@('2', 'TentacleActive') -notcontains [string]$server.CommunicationStyle -or -not $server.Address) { continue }
        $address = [string]$server.Address -as [uri]
        if (-not $address -or -not $address.IsAbsoluteUri -or -not $address.DnsSafeHost) { continue }
        $port = if ($address.Port -gt 0) { $address.Port } else { 443 }
        $by = if ($address.DnsSafeHost -as [ipaddress]) { 'address' } else { 'name' }
        @{ link = (Get-OwnLink $Instance); host = $address.DnsSafeHost; port = $port; by = $by }
    }
}

function Get-TrustedServer {
    param([hashtable]$Instance)
    $text = [string]$Instance.Settings['Tentacle.Communication.TrustedOctopusServers']
    if (-not $text) { return }
    try {
        $servers = ConvertFrom-Json -InputObject $text -ErrorAction Stop
        foreach ($server in @($servers)) { if ($null -ne $server) { $server } }
    } catch {
        # Unreadable: the reader of the survey sees the same text and judges it.
        return
    }
}
