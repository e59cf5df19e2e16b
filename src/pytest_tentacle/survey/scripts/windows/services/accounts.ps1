# Services' accounts as SIDs, and what an instance, its service and its home have to do with each other.

# Windows' own accounts, under the names that Get-AccountName gives them.
$BuiltInSid = @{ 'LocalSystem' = 'S-1-5-18'; 'NT AUTHORITY\LocalService' = 'S-1-5-19'; 'NT AUTHORITY\NetworkService' = 'S-1-5-20' }

$ProfileKey = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList'

# Seconds that a domain controller may take to say who an account is.
$AccountPatience = 3

# The SID, or $null where nobody tells. Where only the service's process does, its owner counts if his profile has the
# account's name: of a service that was given another account and not restarted, it belongs to the one before.
function Get-AccountSid {
    param([string]$Account)
    $sid = Get-ToldSid $Account
    if ($sid) { return $sid }
    foreach ($service in @(Get-ProductService)) {
        if ($service.account -ne $Account) { continue }
        $sid = Get-ProcessSid $service
        if ($sid -and (Test-ProfileName -Sid $sid -Account $Account)) { return $sid }
    }
    $null
}

# As the machine itself or its domain tells, or $null. Each account is asked for once.
function Get-ToldSid {
    param([string]$Account)
    if ($BuiltInSid.ContainsKey($Account)) { return $BuiltInSid[$Account] }
    if (-not $Survey.Cache.ContainsKey('sids')) { $Survey.Cache['sids'] = @{} }
    if (-not $Survey.Cache['sids'].ContainsKey($Account)) {
        $Survey.Cache['sids'][$Account] = if ($Account -match '(?i)^NT SERVICE\\(.+)$') { Get-VirtualSid $Matches[1] } else { Find-AccountSid $Account }
    }
    $Survey.Cache['sids'][$Account]
}

# Whose a service's process is, or $null where it does not run or nobody tells. Each process is asked once.
function Get-ProcessSid {
    param([hashtable]$Service)
    if (-not $Service.pid) { return $null }
    $key = "owner $($Service.pid)"
    if (-not $Survey.Cache.ContainsKey($key)) { $Survey.Cache[$key] = try { Get-OwnerSid $Service.pid } catch { $null } }
    $Survey.Cache[$key]
}

# A profile's folder has the account's name, or that and a domain's behind a dot.
function Test-ProfileName {
    param([string]$Sid, [string]$Account)
    $name = @(@($Account -split '\\')[-1] -split '@')[0]
    $values = try { Get-RegistryValue "$ProfileKey\$Sid" } catch { $null }
    $folder = if ($values) { @([string]$values.ProfileImagePath -split '\\')[-1] } else { '' }
    [bool]$folder -and ($folder -eq $name -or $folder.StartsWith("$name.", [StringComparison]::OrdinalIgnoreCase))
}

function Get-ServiceAccountSection {
    foreach ($service in @(Get-ProductService)) {
        @{ service = $service.name; account = $service.account; sid = Get-ToldSid $service.account; process_sid = Get-ProcessSid $service }
    }
}

# A virtual account's SID comes from the service's name: SHA-1 of its capitals in UTF-16, as five numbers.
function Get-VirtualSid {
    param([string]$Service)
    $digest = (New-Object Security.Cryptography.SHA1CryptoServiceProvider).ComputeHash([Text.Encoding]::Unicode.GetBytes($Service.ToUpperInvariant()))
    $numbers = foreach ($at in 0, 4, 8, 12, 16) { [BitConverter]::ToUInt32($digest, $at) }
    'S-1-5-80-' + ($numbers -join '-')
}

# The machine's own accounts by WMI, and others, group managed ones too, by its LSA, which asks a domain controller.
function Find-AccountSid {
    param([string]$Account)
    $domain, $name = $Account -split '\\', 2
    if (-not $name) { $domain, $name = '', $Account }
    if (@('.', $env:COMPUTERNAME) -contains $domain) {
        $quoted = $name.Replace('\', '\\').Replace("'", "\'")
        try {
            $rows = @(Get-WmiRow -Class 'Win32_UserAccount' -Filter "LocalAccount = TRUE AND Name = '$quoted'" -Property 'Name', 'SID', 'LocalAccount' -Seconds $AccountPatience)
            foreach ($row in $rows) { if ($row.SID) { return [string]$row.SID } }
        } catch { return $null }
        return $null
    }
    try {
        $patience = [Math]::Max(1, [Math]::Min($AccountPatience, (Get-SectionSecond)))
        [string]@(Invoke-Aside -What "who $Account is" -Seconds $patience -Argument $Account -Call {
                param($Name)
                (New-Object Security.Principal.NTAccount $Name).Translate([Security.Principal.SecurityIdentifier]).Value
            })[0]
    } catch {
        $null
    }
}

function Get-OwnerSid {
    param([int64]$ProcessId)
    $process = (Get-ProcessTable)[[string]$ProcessId]
    if (-not $process -or -not $process.Row) { return $null }
    $owner = @(Invoke-Aside -What 'WMI' -Seconds 5 -Argument $process.Row -Call {
            param($Row)
            Invoke-CimMethod -InputObject $Row -MethodName 'GetOwnerSid' -OperationTimeoutSec 3 -ErrorAction Stop
        })[0]
    if ($owner -and [int]$owner.ReturnValue -eq 0 -and $owner.Sid) { [string]$owner.Sid } else { $null }
}

# Services of the products, each with its account.
function Get-ProductService {
    foreach ($service in @(Get-KnownList 'services')) { if ($service.product) { $service } }
}

# The service that runs an instance: the one that names it, or one that names none for the default instance.
function Get-InstanceService {
    param([hashtable]$Instance)
    $candidates = @(Get-ProductService | Where-Object { $_.product -eq $Instance.Product -and -not (Test-OtherCommand $_) })
    # Of two for one instance, the one that runs.
    $candidates = @($candidates | Where-Object { $_.state -eq 'running' }) + @($candidates | Where-Object { $_.state -ne 'running' })
    foreach ($service in $candidates) { if ($service.instance -eq $Instance.Name) { return $service } }
    $default = if ($Instance.Product -eq 'server') { 'OctopusServer' } else { 'Tentacle' }
    foreach ($service in $candidates) { if (-not $service.instance -and $Instance.Name -eq $default) { return $service } }
    $null
}

# Whether a service runs the product's program for something else than an instance, such as `watchdog`.
function Test-OtherCommand {
    param([hashtable]$Service)
    $arguments = [string]$Service.arguments -replace '(?i)^\s*(?:"[^"]+\.dll"|\S+\.dll)\s*', ''
    $arguments -match '^\s*([a-z][\w-]*)(\s|$)' -and @('run', 'agent') -notcontains $Matches[1]
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
        $loaded = $false
        # Its root has no values of its own; who may not look into it is told that it is there, and refused further down.
        if ($hive -and (Test-Path -LiteralPath $hive)) {
            try {
                $null = Get-RegistryValue "$hive\Environment"
                $loaded = $true
            } catch { $refusal = $_ }
        }
        @{ Name = $service.account; Sid = $sid; Hive = $hive; Loaded = $loaded; Refusal = $refusal }
    }
}
