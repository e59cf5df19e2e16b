# What all sections use: time, errors without their language, text forms, and the way out.

$Lf = [string][char]10

function Get-RemainingSecond {
    [Math]::Max(0.0, $Survey.Budget - $Survey.Clock.Elapsed.TotalSeconds)
}

# Seconds that one WMI query may take: the probes come last and need theirs.
function Get-QueryPatience {
    [uint32][Math]::Max(1, [Math]::Min(10, (Get-RemainingSecond) - [double]$Survey.Request.probe_seconds - 2))
}

function ConvertTo-UtcText {
    param($Time)
    if ($null -eq $Time) { return $null }
    ([datetime]$Time).ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", [Globalization.CultureInfo]::InvariantCulture)
}

# The exceptions from the outside in: PowerShell, tasks and streams each wrap the one that tells.
function Get-ExceptionChain {
    param($Exception)
    $chain = @()
    while ($null -ne $Exception) {
        $chain += $Exception
        $Exception = $Exception.InnerException
    }
    , $chain
}

function Test-Chain {
    param($Exception, [type]$Type)
    foreach ($cause in (Get-ExceptionChain $Exception)) { if ($cause -is $Type) { return $true } }
    $false
}

# Identifier and type come first, since they are the same in every language; the system's own words are evidence.
function Get-Reason {
    param($ErrorRecord)
    $exception = $ErrorRecord.Exception.GetBaseException()
    $kind = if (Test-Denied $ErrorRecord) { 'access-denied: ' } else { '' }
    $kind + $ErrorRecord.FullyQualifiedErrorId + ' (' + $exception.GetType().Name + '): ' + $exception.Message.Trim()
}

# Refusals of the file system and registry (by type), of the service controller (ERROR_ACCESS_DENIED, 5), of WMI
# (E_ACCESSDENIED, WBEM_E_ACCESS_DENIED) and of the network cmdlets; most of them by their category.
function Test-Denied {
    param($ErrorRecord)
    foreach ($cause in (Get-ExceptionChain $ErrorRecord.Exception)) {
        if ($cause -is [ComponentModel.Win32Exception] -and $cause.NativeErrorCode -eq 5) { return $true }
    }
    (Test-Chain $ErrorRecord.Exception ([UnauthorizedAccessException])) -or
    (Test-Chain $ErrorRecord.Exception ([Security.SecurityException])) -or
    [string]$ErrorRecord.CategoryInfo.Category -eq 'PermissionDenied' -or
    ([string]$ErrorRecord.FullyQualifiedErrorId) -match '^(HRESULT 0x8(0070005|0041003)|MI RESULT 2|Windows System Error 5)\b'
}

# What the probes need at the end is kept from the sections before them.
function Get-GatherSecond {
    (Get-RemainingSecond) - [Math]::Min([double]$Survey.Request.probe_seconds + 1, $Survey.Budget / 2)
}

# Seconds that the section under way still has.
function Get-SectionSecond {
    [Math]::Max(0.0, $Survey.SectionEnd - $Survey.Clock.Elapsed.TotalSeconds)
}

# A list is put together here, where it goes into the document: 5.1 would write one that came through a pipeline as an object.
# Seconds bounds the loops of the section itself.
function Read-Section {
    param([string]$Name, [scriptblock]$Read, [switch]$IsList, [double]$Seconds = 5, [switch]$IsLast)
    $left = if ($IsLast) { Get-RemainingSecond } else { Get-GatherSecond }
    if ($left -le 0) { return @{ unknown = "the script's time budget was used up before $Name" } }
    $Survey.SectionEnd = $Survey.Clock.Elapsed.TotalSeconds + [Math]::Min($Seconds, $left)
    try {
        if ($IsList) { @{ data = @(& $Read) } } else { @{ data = (& $Read) } }
    } catch {
        $Survey.Failed[$Name] = $_
        @{ unknown = (Get-Reason $_) }
    }
}

# What the section `instances` or `services` has read. A section that rests on it is unknown for the same reason.
function Get-KnownList {
    param([string]$Name)
    if ($Survey.Cache.ContainsKey($Name)) { return @($Survey.Cache[$Name] | Where-Object { $_ }) }
    if ($Survey.Failed.ContainsKey($Name)) { throw $Survey.Failed[$Name] }
    throw "$Name could not be read in time"
}

# The values of a registry key as an object, or $null where there is no such key, or none in it. Throws where it is refused.
# Most keys that are asked for are not there, and to throw and catch what says so costs twice as much as to look at it.
function Get-RegistryValue {
    param([string]$Key)
    $missed = $null
    $values = Get-ItemProperty -LiteralPath $Key -ErrorAction SilentlyContinue -ErrorVariable missed
    foreach ($failure in $missed) { if ($failure.Exception -isnot [Management.Automation.ItemNotFoundException]) { throw $failure } }
    $values
}

# By name, without what PowerShell adds to each key.
function Get-RegistryTable {
    param([string]$Key)
    $table = @{}
    $values = Get-RegistryValue $Key
    if ($null -eq $values) { return $table }
    foreach ($property in $values.PSObject.Properties) {
        if (@('PSPath', 'PSParentPath', 'PSChildName', 'PSProvider', 'PSDrive') -notcontains $property.Name) { $table[$property.Name] = $property.Value }
    }
    $table
}

# A command line may carry a password or an API key, as an option, within a connection string, or within an address.
function Hide-Secret {
    param([string]$Line)
    $options = '(?i)((?:--?|/)[\w-]*(?:password|api-?key|master-?key|secret|token|connection-?string)[\w-]*(?:[=:]\s*|\s+))("[^"]*"|\S+)'
    $Line = [regex]::Replace($Line, $options, '$1***')
    $Line = [regex]::Replace($Line, '(?i)\b(password|pwd)=(?!\*)[^;"\s]+', '$1=***')
    [regex]::Replace($Line, '(://[^/\s:@"]*):[^\s@"]*@', '$1:***@')
}

# All processes, read once: Win32_Process, else (no rights to WMI) what Get-Process shows, without parents.
function Get-ProcessTable {
    if (-not $Survey.Cache.ContainsKey('processes')) {
        $table = @{}
        try {
            $columns = 'Handle', 'ProcessId', 'ParentProcessId', 'Name', 'ExecutablePath', 'CommandLine', 'CreationDate'
            $rows = Get-WmiRow -Class 'Win32_Process' -Property $columns
            foreach ($row in @($rows)) {
                $table[[string]$row.ProcessId] = @{
                    Id = [int64]$row.ProcessId; Parent = [int64]$row.ParentProcessId; Name = $row.Name
                    Executable = $row.ExecutablePath; CommandLine = $row.CommandLine; Started = $row.CreationDate; Row = $row
                }
            }
        } catch {
            foreach ($row in @(Get-Process -ErrorAction Stop)) {
                $started = try { $row.StartTime } catch { $null }
                $table[[string]$row.Id] = @{
                    Id = [int64]$row.Id; Parent = $null; Name = [string]$row.ProcessName
                    Executable = $(if ($row.Path) { [string]$row.Path } else { $null }); CommandLine = $null; Started = $started; Row = $null
                }
            }
        }
        $Survey.Cache['processes'] = $table
    }
    $Survey.Cache['processes']
}

# Base64 of gzip: ASCII whatever the code page, and small.
function ConvertTo-PackedText {
    param([byte[]]$Bytes)
    $packed = New-Object IO.MemoryStream
    $gzip = New-Object IO.Compression.GZipStream ($packed, [IO.Compression.CompressionMode]::Compress, $true)
    $gzip.Write($Bytes, 0, $Bytes.Length)
    $gzip.Close()
    [Convert]::ToBase64String($packed.ToArray())
}

# Numbers of characters up to which a record goes out as it is; what is longer is packed.
$PlainLimit = 800

# Marks are lines of their own, whatever stands before them; a line that something else began is ended first.
function Write-Mark {
    param([string]$Text)
    Write-Line "$Lf-----SURVEY $($Survey.Nonce) $Text-----$Lf"
}

# Bytes, flushed: the host would wrap lines and put them into the machine's code page.
function Write-Line {
    param([string]$Text)
    $bytes = [Text.Encoding]::ASCII.GetBytes($Text)
    [Console]::Out.Flush()
    $Survey.Output.Write($bytes, 0, $bytes.Length)
    $Survey.Output.Flush()
}

# One part of the answer, as soon as it is there: whatever happens later does not take it away.
function Write-Record {
    param([string]$Name, $Value)
    $json = ConvertTo-Json -InputObject $Value -Depth 12 -Compress
    if ($json.Length -le $PlainLimit) {
        $encoding = 'json'
        $payload = [regex]::Replace($json, '[^\x20-\x7e]', { '\u{0:x4}' -f [int][char]$args[0].Value })
    } else {
        $encoding = 'gzip'
        $payload = ConvertTo-PackedText ([Text.Encoding]::UTF8.GetBytes($json))
    }
    $mark = "-----SURVEY $($Survey.Nonce)"
    Write-Line "$Lf$mark BEGIN $Name $encoding $($payload.Length)-----$Lf$payload$Lf$mark END $Name-----$Lf"
}
