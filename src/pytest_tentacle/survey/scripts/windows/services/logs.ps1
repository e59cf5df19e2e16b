# The end of each instance's own log, and of those that Tentacle's accounts write before they know a home, as packed bytes:
# what they mean is found out elsewhere.

$LogLimit = 2097152

# A log that was rotated a moment ago tells little: then this much of the archive before it comes along.
$ArchiveLimit = 524288

# What a log of before home is known says of the last starts.
$EarlyLimit = 204800

function Get-LogSection {
    $seen = @{}
    foreach ($instance in @(Get-KnownList 'instances')) {
        $name = if ($instance.Product -eq 'server') { 'OctopusServer' } else { 'OctopusTentacle' }
        $folder = (Get-InstanceHome $instance) + '\Logs'
        $seen["$folder\$name.txt"] = $true
        Read-Log -Instance $instance -Folder $folder -Name $name
    }
    foreach ($place in @(Get-EarlyPlace)) {
        if ($seen.ContainsKey($place.Path)) { continue }
        $seen[$place.Path] = $true
        Read-EarlyLog @place
    }
}

# Where Tentacle's services write until they know their home: by their environment, else in their account's own data.
function Get-EarlyPlace {
    $services = try { @(Get-ProductService) } catch { @() }
    foreach ($service in $services) {
        if ($service.product -ne 'tentacle') { continue }
        $folder = [string]$service.environment['DefaultLogDirectory']
        if (-not $folder) {
            $root = Get-AccountProfile ([string]$service.account)
            if (-not $root) { continue }
            $folder = "$root\AppData\Local\Octopus\Logs"
        }
        @{ Account = [string]$service.account; Path = $folder.TrimEnd('\', '/') + '\OctopusTentacle.txt' }
    }
}

# The folder of an account's profile, or $null where nobody tells.
function Get-AccountProfile {
    param([string]$Account)
    switch ($Account) {
        'LocalSystem' { return "$env:SystemRoot\System32\config\systemprofile" }
        'NT AUTHORITY\LocalService' { return "$env:SystemRoot\ServiceProfiles\LocalService" }
        'NT AUTHORITY\NetworkService' { return "$env:SystemRoot\ServiceProfiles\NetworkService" }
    }
    try {
        $sid = Get-AccountSid $Account
        if (-not $sid) { return $null }
        $values = Get-RegistryValue "HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\$sid"
        if ($values) { [Environment]::ExpandEnvironmentVariables([string]$values.ProfileImagePath) } else { $null }
    } catch {
        $null
    }
}

# Nothing where the file is not there, or may not be read: a healthy machine has none, or an old one.
function Read-EarlyLog {
    param([string]$Account, [string]$Path)
    try {
        $item = Get-Item -LiteralPath $Path -Force -ErrorAction Stop
        $end = Read-FileEnd -Item $item -Limit $EarlyLimit
        if ($end.Size -eq 0) { return }
        @{
            product = 'tentacle'; instance = ''; account = $Account; path = $Path; size = $end.Size
            complete = $end.Size -le $end.Bytes.Length; modified_utc = ConvertTo-UtcText $item.LastWriteTimeUtc
            text = ConvertTo-PackedText $end.Bytes
        }
    } catch {
        return
    }
}

function Read-Log {
    param([hashtable]$Instance, [string]$Folder, [string]$Name)
    $path = "$Folder\$Name.txt"
    $log = @{ product = $Instance.Product; instance = $Instance.Name; path = $path; complete = $true }
    try {
        $item = Get-Item -LiteralPath $path -Force -ErrorAction Stop
        $log['modified_utc'] = ConvertTo-UtcText $item.LastWriteTimeUtc
        $end = Read-FileEnd -Item $item -Limit $LogLimit
        $log['size'] = $end.Size
        $log['complete'] = $end.Size -le $end.Bytes.Length
        $log['text'] = ConvertTo-PackedText $end.Bytes
        if ($end.Size -lt $ArchiveLimit) {
            $older = Read-Archive "$Folder\$Name.0.txt"
            if ($older) { $log['older'] = $older }
        }
    } catch {
        $log['error'] = Get-FileErrorWord $_ $path
    }
    $log
}

# The archive's end, packed, or $null where there is none to be had.
function Read-Archive {
    param([string]$Path)
    try {
        $item = Get-Item -LiteralPath $Path -Force -ErrorAction Stop
        ConvertTo-PackedText (Read-FileEnd -Item $item -Limit $ArchiveLimit).Bytes
    } catch {
        $null
    }
}

# The last bytes of a file that others write to meanwhile; Size is the whole file's when it was opened.
function Read-FileEnd {
    param($Item, [int]$Limit)
    $stream = $Item.Open([IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]'ReadWrite, Delete')
    try {
        $size = [int64]$stream.Length
        $count = [int][Math]::Min($size, [int64]$Limit)
        $null = $stream.Seek($size - $count, [IO.SeekOrigin]::Begin)
        $bytes = New-Object byte[] $count
        $filled = 0
        while ($filled -lt $count) {
            $read = $stream.Read($bytes, $filled, $count - $filled)
            if ($read -le 0) { break }
            $filled += $read
        }
        if ($filled -lt $count) { $bytes = [byte[]]@($bytes | Select-Object -First $filled) }
        @{ Size = $size; Bytes = $bytes }
    } finally {
        $stream.Dispose()
    }
}
