# Services' accounts as SIDs, and what an instance, its service and its home have to do with each other.

# Windows' own accounts, under the names that Get-AccountName gives them.
$BuiltInSid = @{ 'LocalSystem' = 'S-1-5-18'; 'NT AUTHORITY\LocalService' = 'S-1-5-19'; 'NT AUTHORITY\NetworkService' = 'S-1-5-20' }

# Seconds that a domain controller may take to say who an account is.
$AccountPatience = 3

# The SID, or $null where nobody tells. Each account is asked for once.
function Get-AccountSid {
    param([string]$Account)
    if ($BuiltInSid.ContainsKey($Account)) { return $BuiltInSid[$Account] }
    if (-not $Survey.Cache.ContainsKey('sids')) { $Survey.Cache['sids'] = @{} }
    if (-not $Survey.Cache['sids'].ContainsKey($Account)) {
        $Survey.Cache['sids'][$Account] = if ($Account -match '(?i)^NT SERVICE\\(.+)$') { Get-VirtualSid $Matches[1] } else { Find-AccountSid $Account }
    }
    $Survey.Cache['sids'][$Account]
}

# A virtual account's SID comes from the service's name: SHA-1 of its capitals in UTF-16, as five numbers.
function Get-VirtualSid {
    param([string]$Service)
    $digest = (New-Object Security.Cryptography.SHA1CryptoServiceProvider).ComputeHash([Text.Encoding]::Unicode.GetBytes($Service.ToUpperInvariant()))
    $numbers = foreach ($at in 0, 4, 8, 12, 16) { [BitConverter]::ToUInt32($digest, $at) }
    'S-1-5-80-' + ($numbers -join '-')
}

# By WMI, which asks for one account and can be told when to give up; .NET's own way waits for as long as it likes.
function Find-AccountSid {
    param([string]$Account)
    $domain, $name = $Account -split '\\', 2
    if (-not $name) { return $null }
    if ($domain -eq '.') { $domain = $env:COMPUTERNAME }
    $quoted = foreach ($text in $domain, $name) { $text.Replace('\', '\\').Replace("'", "\'") }
    $filter = "Domain = '{0}' AND Name = '{1}'" -f $quoted
    try {
        $patience = [uint32][Math]::Max(1, [Math]::Min($AccountPatience, (Get-SectionSecond)))
        $rows = @(Get-CimInstance -ClassName Win32_UserAccount -Filter $filter -OperationTimeoutSec $patience -ErrorAction Stop)
        foreach ($row in $rows) { if ($row.SID) { return [string]$row.SID } }
        $null
    } catch {
        $null
    }
}

# Services of the products, each with its account.
function Get-ProductService {
    foreach ($service in @(Get-KnownList 'services')) { if ($service.product) { $service } }
}

# The service that runs an instance: the one that names it, or one that names none for the default instance.
function Get-InstanceService {
    param([hashtable]$Instance)
    $candidates = @(Get-ProductService | Where-Object { $_.product -eq $Instance.Product })
    foreach ($service in $candidates) { if ($service.instance -eq $Instance.Name) { return $service } }
    $default = if ($Instance.Product -eq 'server') { 'OctopusServer' } else { 'Tentacle' }
    foreach ($service in $candidates) { if (-not $service.instance -and $Instance.Name -eq $default) { return $service } }
    $null
}

# Octopus Home: the service's environment, the setting, or the configuration file's folder.
function Get-InstanceHome {
    param([hashtable]$Instance)
    $service = try { Get-InstanceService $Instance } catch { $null }
    $root = if ($service) { [string]$service.environment['OCTOPUS_HOME'] } else { '' }
    if (-not $root) { $root = ([string]$Instance.Settings['Octopus.Home']).Trim() }
    if (-not $root) { $root = [string]$Instance.Configuration.path -replace '[\\/][^\\/]*$', '' }
    if ($root.Length -gt 3) { $root = $root.TrimEnd('\', '/') }
    $root
}

# The account's own part of the registry; it is there while something runs under the account, and always for Windows' own.
function Get-AccountHive {
    param([string]$Sid)
    "Registry::HKEY_USERS\$Sid"
}

# The services' accounts, each once, with SID and hive; Loaded tells whether the hive can be looked into, Refusal why not
# where it is there: only administrators may look into another account's.
function Get-ServiceAccount {
    $seen = @{}
    foreach ($service in @(Get-ProductService)) {
        if ($seen.ContainsKey($service.account)) { continue }
        $seen[$service.account] = $true
        $sid = Get-AccountSid $service.account
        $hive = if ($sid) { Get-AccountHive $sid } else { $null }
        $refusal = $null
        $loaded = if ($hive) { try { $null -ne (Get-RegistryValue $hive) } catch { $refusal = $_; $false } } else { $false }
        @{ Name = $service.account; Sid = $sid; Hive = $hive; Loaded = $loaded; Refusal = $refusal }
    }
}
