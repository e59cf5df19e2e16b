# The end of each instance's own log, as packed bytes: what it means is found out elsewhere.

$LogLimit = 2097152

# A log that was rotated a moment ago tells little: then this much of the archive before it comes along.
$ArchiveLimit = 524288

function Get-LogSection {
    foreach ($instance in @(Get-KnownList 'instances')) {
        $name = if ($instance.Product -eq 'server') { 'OctopusServer' } else { 'OctopusTentacle' }
        Read-Log -Instance $instance -Folder ((Get-InstanceHome $instance) + '\Logs') -Name $name
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
