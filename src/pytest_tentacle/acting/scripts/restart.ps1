# Restarts one service, because a person asked for it; looks at it before, and for some seconds after. Windows PowerShell 4.0
# to 7. The request stands behind the last line, as one quoted text that is data and never code.
& {
param([string]$Data)

function Write-Mark {
    param([string]$Word, [string]$Text)
    $lines = "`n-----ACT $($Request.nonce) $Word-----`n" + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes([string]$Text)) + "`n"
    $bytes = [Text.Encoding]::ASCII.GetBytes($lines)
    $Output.Write($bytes, 0, $bytes.Length)
    $Output.Flush()
}

# By WMI, which tells the process; else by the service controller, which does not.
function Get-Look {
    $name = [string]$Request.service
    try {
        $row = @(Get-CimInstance -ClassName 'Win32_Service' -Property 'Name', 'State', 'ProcessId' -ErrorAction Stop | Where-Object { $_.Name -eq $name })[0]
        if ($null -eq $row) { return 'State=Missing' }
        $started = ''
        if ([int64]$row.ProcessId -gt 0) {
            $process = try { @(Get-Process -Id ([int]$row.ProcessId) -ErrorAction Stop)[0] } catch { $null }
            if ($process -and $process.StartTime) {
                $started = ([datetime]$process.StartTime).ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [Globalization.CultureInfo]::InvariantCulture)
            }
        }
        "State=$($row.State)`nMainPID=$([int64]$row.ProcessId)`nStarted=$started"
    } catch {
        $service = @(Get-Service -Name ([Management.Automation.WildcardPattern]::Escape($name)) -ErrorAction Stop)[0]
        "State=$([int]$service.Status)"
    }
}

# The bytes of the log from there on, at most the last 64 KB; from its beginning where it was begun anew.
function Read-Tail {
    param([int64]$From)
    $stream = (Get-Item -LiteralPath ([string]$Request.log) -Force -ErrorAction Stop).Open([IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]'ReadWrite, Delete')
    try {
        $size = [int64]$stream.Length
        if ($size -lt $From) { $From = 0 }
        $begin = [Math]::Max($From, $size - 65536)
        $null = $stream.Seek($begin, [IO.SeekOrigin]::Begin)
        $bytes = New-Object byte[] ([int]($size - $begin))
        $filled = 0
        while ($filled -lt $bytes.Length) {
            $read = $stream.Read($bytes, $filled, $bytes.Length - $filled)
            if ($read -le 0) { break }
            $filled += $read
        }
        @{ Size = $size; Text = [Text.Encoding]::UTF8.GetString($bytes, 0, $filled) }
    } finally {
        $stream.Dispose()
    }
}

function Get-LogSize {
    if (-not $Request.log) { return -1 }
    try { [int64](Read-Tail -From ([int64]::MaxValue)).Size } catch { -1 }
}

function Wait-Service {
    $first = $null
    $last = $null
    $passed = 0
    while ($true) {
        $seen = Get-Look
        if ($seen -ne $last) {
            Write-Mark "LOOK $passed" $seen
            $last = $seen
        }
        $id = if ($seen -match 'MainPID=([1-9]\d*)') { $Matches[1] } else { $null }
        if ($null -eq $first) { $first = $id }
        # It ended: whoever waits on sees no more than the next attempt.
        if ($seen -match '(?m)^State=(Stopped|1|Missing)\b' -or ($first -and $id -ne $first)) { break }
        if ($passed -ge [int]$Request.watch) { break }
        [Threading.Thread]::Sleep(1000)
        $passed++
    }
    Write-Mark "WATCHED $passed"
}

function Invoke-Restart {
    Write-Mark 'BEFORE' (Get-Look)
    $size = Get-LogSize
    $service = @(Get-Service -Name ([Management.Automation.WildcardPattern]::Escape([string]$Request.service)) -ErrorAction Stop)[0]
    $code = 0
    $answer = ''
    Write-Mark 'ASKED'
    try {
        # What is stopped is started: there is nothing to end.
        if ([int]$service.Status -eq 1) {
            Start-Service -InputObject $service -ErrorAction Stop
        } else {
            Restart-Service -InputObject $service -ErrorAction Stop
        }
    } catch {
        $code = 1
        $answer = $_.FullyQualifiedErrorId + ': ' + $_.Exception.GetBaseException().Message
    }
    Write-Mark "ANSWERED $code" $answer
    Wait-Service
    if ($size -ge 0) {
        try { Write-Mark 'LOG' (Read-Tail -From $size).Text } catch { Write-Mark 'UNREAD' $_.Exception.Message }
    }
    Write-Mark 'DONE'
}

$ErrorActionPreference = 'Stop'
foreach ($stream in 'Progress', 'Warning', 'Verbose', 'Debug', 'Information') {
    Set-Variable -Name ($stream + 'Preference') -Value 'SilentlyContinue'
}
$Output = [Console]::OpenStandardOutput()
$Request = ConvertFrom-Json -InputObject $Data
try {
    Invoke-Restart
} catch {
    Write-Mark 'BROKEN' ($_.FullyQualifiedErrorId + ': ' + $_.Exception.Message)
}
}
