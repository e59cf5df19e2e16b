# How long the products' programs take to load: `help` twice, by a stopwatch of its own, and what may make them slow.

$LoadSeconds = 20
$WinTrustKey = 'Software\Microsoft\Windows\CurrentVersion\WinTrust\Trust Providers\Software Publishing'

# In WinTrust's State: do not look for revocations.
$IgnoreRevocation = 0x200

function Get-LoadingSection {
    $executables = @(Get-ProductExecutable)
    $times = @(foreach ($executable in $executables) { Measure-Loading $executable })
    $revocation = @(foreach ($account in @(Get-ServiceAccount)) { Get-Revocation $account })
    # After the measurement, which a look into the program could make shorter.
    if (@($revocation | Where-Object { $_.enabled }).Count) { Set-Reachability -Revocation $revocation -Executable $executables }
    @{ times = $times; revocation = $revocation }
}

function Measure-Loading {
    param([hashtable]$Executable)
    $time = @{ product = $Executable.Product; executable = $Executable.Path }
    try {
        $item = Get-Item -LiteralPath $Executable.Path -Force -ErrorAction Stop
        foreach ($name in 'cold_ms', 'warm_ms') {
            $run = Measure-Help -Item $item -By $Executable.By
            $time['exit_code'] = $run.ExitCode
            if ($null -eq $run.ExitCode) {
                $time['error'] = 'it did not end within {0:0} seconds' -f $run.Seconds
                break
            }
            $time[$name] = $run.Milliseconds
            # The first lines of what it printed: why it failed, or that it is another program.
            $printed = ([regex]::Replace([string]$run.Text, '[^\x20-\x7e\r\n]', '?')).Trim()
            if ($printed) { $time['printed'] = $printed.Substring(0, [Math]::Min(400, $printed.Length)) }
        }
    } catch {
        $time['error'] = Get-Reason $_
    }
    $time
}

# One call of `help`, which reads nothing but the program itself; the first of what it prints is kept. It runs in its own
# folder, where it finds no instance's configuration.
function Measure-Help {
    param($Item, [string]$By)
    $seconds = [Math]::Min($LoadSeconds, (Get-SectionSecond))
    if ($seconds -lt 1) { throw 'no time left in the budget of the script' }
    Wait-Program -Program (Start-Program -Item $Item -By $By -Arguments 'help') -Seconds $seconds
}

# Whether Windows looks for revocations of code signing certificates for this account. The default is yes.
function Get-Revocation {
    param([hashtable]$Account)
    $why = if ($Account.Refusal) { Get-Reason $Account.Refusal } else { 'its registry hive is not loaded' }
    $record = @{ account = $Account.Name; enabled = $null; detail = $why }
    if (-not $Account.Loaded) { return $record }
    try {
        $values = Get-RegistryValue "$($Account.Hive)\$WinTrustKey"
        $state = if ($values) { $values.State } else { $null }
        $record['enabled'] = $null -eq $state -or ([int64]$state -band $IgnoreRevocation) -eq 0
        $record['detail'] = if ($null -eq $state) { "Windows' default" } else { 'State 0x{0:x}' -f [int64]$state }
    } catch {
        $record['detail'] = Get-Reason $_
    }
    $record
}
