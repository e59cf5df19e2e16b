# Surveys this machine: reads, and changes nothing. Windows PowerShell 5.1 and 7, no module from outside, nothing on disk.
# Python puts the functions of the parts beside this file in the place of the marker line. The request is data, never code.
param([string]$Nonce, [string]$Data)

# <parts>

# What all functions share: the request, the time since the start, and what one section has read for the others.
$Survey = @{ Request = (ConvertFrom-Json -InputObject $Data); Clock = [Diagnostics.Stopwatch]::StartNew(); Cache = @{}; Failed = @{} }
$Survey['Budget'] = [double]$Survey.Request.budget_seconds
$Survey['SectionEnd'] = $Survey.Budget

# A section of the document is one line here and one function: it gives the section's data, or throws. Cheap ones first;
# `Seconds` is how long a section may go on where it has a choice.
$FirstSections = @(
    @{ Name = 'host'; Read = { Get-HostSection } }
    @{ Name = 'services'; Read = { Get-ServiceSection }; IsList = $true }
    @{ Name = 'instances'; Read = { Get-InstanceSection }; IsList = $true }
)

$Sections = @(
    @{ Name = 'listeners'; Read = { Get-ListenerSection }; IsList = $true }
    @{ Name = 'connections'; Read = { Get-ConnectionSection }; IsList = $true }
    @{ Name = 'logs'; Read = { Get-LogSection }; IsList = $true }
    @{ Name = 'products'; Read = { Get-ProductSection }; IsList = $true }
    @{ Name = 'disks'; Read = { Get-DiskSection }; IsList = $true }
    @{ Name = 'proxies'; Read = { Get-ProxySection }; IsList = $true }
    @{ Name = 'tls'; Read = { Get-TlsSection } }
    @{ Name = 'firewall'; Read = { Get-FirewallSection } }
    @{ Name = 'watchdog'; Read = { Get-WatchdogSection }; IsList = $true }
    @{ Name = 'left_overs'; Read = { Get-LeftOverSection }; IsList = $true }
    @{ Name = 'events'; Read = { Get-EventSection }; IsList = $true }
    @{ Name = 'permissions'; Read = { Get-PermissionSection }; IsList = $true; Seconds = 3 }
    @{ Name = 'reservations'; Read = { Get-ReservationSection } }
    @{ Name = 'own_names'; Read = { Get-OwnNameSection }; IsList = $true }
    @{ Name = 'proxy_connects'; Read = { Get-ProxyConnectSection }; IsList = $true }
)

# After the logs and the probes: it starts the products' own programs, which may take long and write lines of their own.
$LastSections = @(
    @{ Name = 'loading'; Read = { Get-LoadingSection }; Seconds = 40; IsLast = $true }
)

function Read-SectionTable {
    param([object[]]$Table)
    foreach ($section in $Table) {
        $Document[$section.Name] = if ($Survey.Request.gather) { Read-Section @section } else { @{ unknown = 'not asked for' } }
    }
}

$Document = @{}
Read-SectionTable $FirstSections
Start-Waiting
Read-SectionTable $Sections
$Document['probes'] = @(Invoke-Probing -Target @(Get-ProbeTarget))
if ($Survey.Request.ping) { $Document['pings'] = @(Invoke-Pinging) }
if ($Survey.Request.tls_versions) { $Document['tls_versions'] = @(Invoke-VersionProbing) }
Read-SectionTable $LastSections
Write-Document -Nonce $Nonce -Document $Document

# The bootstrap runs nothing that does not end with the next line: unpacking alone does not notice what was cut off.
# <end>
