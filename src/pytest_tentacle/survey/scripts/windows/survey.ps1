# pytest-tentacle surveys this machine: it reads, and changes nothing. Windows PowerShell 4.0 to 7, no module from outside,
# nothing on disk. This text is the same on every machine, and its SHA-256 is published; the request stands behind its last
# line, as one quoted text that is data and never code. What it prints is framed (see pytest_tentacle/survey/framing.py).
& {
param([string]$Data)

# <parts>

function Read-SectionTable {
    param([object[]]$Table)
    foreach ($section in $Table) {
        Write-Mark "READING $($section.Name)"
        Write-Record $section.Name (Read-Section @section)
    }
}

# A section is one line here and one function, which gives its data or throws. In the order of their worth; what may hang
# or takes long comes last. `Seconds` is how long a section may go on where it has a choice.
$FirstSections = @(
    @{ Name = 'host'; Read = { Get-HostSection } }
    @{ Name = 'services'; Read = { Get-ServiceSection }; IsList = $true }
    @{ Name = 'instances'; Read = { Get-InstanceSection }; IsList = $true }
)

$Sections = @(
    @{ Name = 'logs'; Read = { Get-LogSection }; IsList = $true }
    @{ Name = 'listeners'; Read = { Get-ListenerSection }; IsList = $true }
    @{ Name = 'connections'; Read = { Get-ConnectionSection }; IsList = $true }
    @{ Name = 'products'; Read = { Get-ProductSection }; IsList = $true }
    @{ Name = 'proxies'; Read = { Get-ProxySection }; IsList = $true }
)

$DoubtfulSections = @(
    @{ Name = 'reservations'; Read = { Get-ReservationSection } }
    @{ Name = 'routes'; Read = { Get-RouteSection }; IsList = $true }
    @{ Name = 'own_names'; Read = { Get-OwnNameSection }; IsList = $true }
    @{ Name = 'proxy_connects'; Read = { Get-ProxyConnectSection }; IsList = $true }
    @{ Name = 'firewall'; Read = { Get-FirewallSection } }
    @{ Name = 'tls'; Read = { Get-TlsSection } }
    @{ Name = 'watchdog'; Read = { Get-WatchdogSection }; IsList = $true }
    @{ Name = 'left_overs'; Read = { Get-LeftOverSection }; IsList = $true }
    @{ Name = 'disks'; Read = { Get-DiskSection }; IsList = $true }
    @{ Name = 'events'; Read = { Get-EventSection }; IsList = $true; Seconds = 8 }
    @{ Name = 'changes'; Read = { Get-ChangeSection }; Seconds = 4 }
    @{ Name = 'service_accounts'; Read = { Get-ServiceAccountSection }; IsList = $true }
    @{ Name = 'permissions'; Read = { Get-PermissionSection }; IsList = $true; Seconds = 6 }
    @{ Name = 'private_keys'; Read = { Get-PrivateKeySection }; IsList = $true; Seconds = 6 }
)

# It starts the products' own programs, which may take long and write lines of their own.
$LastSections = @(
    @{ Name = 'loading'; Read = { Get-LoadingSection }; Seconds = 40; IsLast = $true }
)

function Invoke-Survey {
    $gathers = [bool]$Survey.Request.gather
    if ($gathers) {
        Read-SectionTable $FirstSections
        Start-Waiting
        Read-SectionTable $Sections
    }
    Write-Mark 'READING probes'
    Write-Record 'probes' @(Invoke-Probing -Target @(Get-ProbeTarget) -Part 'probes')
    if ($gathers) { Read-SectionTable $DoubtfulSections }
    if ($Survey.Request.ping) {
        Write-Mark 'READING pings'
        Write-Record 'pings' @(Invoke-Pinging)
    }
    if ($Survey.Request.tls_versions) {
        Write-Mark 'READING tls_versions'
        Write-Record 'tls_versions' @(Invoke-VersionProbing)
    }
    if ($gathers) { Read-SectionTable $LastSections }
    Write-Mark 'DONE'
}

$ErrorActionPreference = 'Stop'
foreach ($stream in 'Progress', 'Warning', 'Verbose', 'Debug', 'Information') {
    Set-Variable -Name ($stream + 'Preference') -Value 'SilentlyContinue'
}
# What all functions share: the request, the time since the start, and what one section has read for the others.
$Survey = @{ Nonce = 'none'; Clock = [Diagnostics.Stopwatch]::StartNew(); Cache = @{}; Failed = @{}; Hung = @{}; Output = [Console]::OpenStandardOutput() }
try {
    if (-not $Data) { throw 'request-cut-off' }
    $Survey['Request'] = ConvertFrom-Json -InputObject $Data
    $Survey['Nonce'] = [string]$Survey.Request.nonce
    $Survey['Budget'] = [double]$Survey.Request.budget_seconds
    $Survey['SectionEnd'] = $Survey.Budget
    if ($PSVersionTable.PSVersion.Major -lt 4) { throw 'powershell-too-old' }
    Invoke-Survey
} catch {
    $word = if (@('request-cut-off', 'powershell-too-old') -contains [string]$_.Exception.Message) { $_.Exception.Message } else { 'script-failed' }
    Write-Line ("$Lf-----SURVEY REFUSED $($Survey.Nonce) $word-----$Lf" + $_.FullyQualifiedErrorId + ': ' + $_.Exception.Message + ' PowerShell ' + $PSVersionTable.PSVersion)
}
# What hangs in Windows would keep this process.
if ($Survey.Hung.Count) { [Environment]::Exit(0) }
}
