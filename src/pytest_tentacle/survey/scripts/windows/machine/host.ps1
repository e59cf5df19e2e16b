# The host as a whole.

function Get-HostSection {
    $tcpip = try { Get-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters' } catch { $null }
    $name = if ($tcpip -and $tcpip.Hostname) { [string]$tcpip.Hostname } else { [string]$env:COMPUTERNAME }
    $domain = if ($tcpip) { [string]$tcpip.Domain } else { '' }
    $Survey.Cache['own'] = @($name) + @(if ($domain) { "$name.$domain" })
    $system = Get-HostFact
    $identity = Get-IdentityFact
    $framework = try { Get-RegistryValue 'HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full' } catch { $null }
    @{
        hostname       = $name
        fqdn           = if ($domain) { "$name.$domain" } else { $null }
        os             = 'windows'
        os_name        = $system.Name
        os_version     = $system.Version
        architecture   = $system.Architecture
        boot_utc       = $system.Boot
        clock_utc      = ConvertTo-UtcText ([datetime]::UtcNow)
        user           = $identity.Name
        elevated       = $identity.Elevated
        shell          = @{
            name          = if ($PSVersionTable.PSEdition -eq 'Core') { 'pwsh' } else { 'powershell' }
            version       = [string]$PSVersionTable.PSVersion
            language_mode = [string]$ExecutionContext.SessionState.LanguageMode
        }
        dotnet_release = if ($framework -and $null -ne $framework.Release) { [int64]$framework.Release } else { $null }
        addresses      = @(Get-HostAddress)
    }
}

# From WMI, which is asked here for the first time, for something cheap; else name and version from the registry.
function Get-HostFact {
    try {
        $columns = 'Caption', 'Version', 'OSArchitecture', 'LastBootUpTime'
        $row = @(Get-WmiRow -Class 'Win32_OperatingSystem' -Property $columns -Seconds ([Math]::Min(5, (Get-QueryPatience))))[0]
        @{
            Name = [string]$row.Caption; Version = [string]$row.Version; Architecture = [string]$row.OSArchitecture
            Boot = ConvertTo-UtcText $row.LastBootUpTime
        }
    } catch {
        $row = try { Get-RegistryValue 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion' } catch { $null }
        @{
            Name         = if ($row) { [string]$row.ProductName } else { $null }
            Version      = if ($row) { Get-RegisteredVersion $row } else { $null }
            Architecture = [string]$env:PROCESSOR_ARCHITECTURE
            Boot         = $null
        }
    }
}

# Windows Server 2012 R2 and older have the two numbers in one text; later ones still say 6.3 there.
function Get-RegisteredVersion {
    param($Values)
    if ($null -eq $Values.CurrentMajorVersionNumber) { return "$($Values.CurrentVersion).$($Values.CurrentBuild)" }
    '{0}.{1}.{2}' -f $Values.CurrentMajorVersionNumber, $Values.CurrentMinorVersionNumber, $Values.CurrentBuild
}

# Elevated: the token holds Administrators (S-1-5-32-544) as a group that counts; a filtered token lists it for denial only
# and .NET leaves it out then.
function Get-IdentityFact {
    try {
        $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
        $groups = @($identity.Groups | ForEach-Object { [string]$_.Value })
        @{ Name = [string]$identity.Name; Elevated = ($groups -contains 'S-1-5-32-544') }
    } catch {
        @{ Name = [Environment]::UserName; Elevated = $null }
    }
}

# Addresses that the machine uses now: without those of adapters that have no network (states of MSFT_NetIPAddress: 1
# tentative, 2 duplicate; 4 preferred, 3 deprecated), without loopback and link-local ones, and without zone ids.
function Get-HostAddress {
    $found = try {
        @(Invoke-Aside -What 'Get-NetIPAddress' -Seconds 5 -Call {
                foreach ($row in @(Get-NetIPAddress -ErrorAction Stop)) { if (@(3, 4) -contains [int]$row.AddressState) { [string]$row.IPAddress } }
            })
    } catch {
        try {
            $rows = Get-WmiRow -Class 'Win32_NetworkAdapterConfiguration' -Filter 'IPEnabled = TRUE' -Property 'IPEnabled', 'IPAddress'
            @($rows | ForEach-Object { $_.IPAddress } | ForEach-Object { [string]$_ })
        } catch { @() }
    }
    foreach ($address in $found) {
        $plain = ($address -split '%')[0]
        if ($plain -and $plain -notmatch '^(127\.0\.0\.1|::1|169\.254\..*|(?i)fe80:.*)$') { $plain }
    }
}

# Domain controllers have no local accounts and groups of their own.
function Test-DomainController {
    if (-not $Survey.Cache.ContainsKey('controller')) {
        $values = try { Get-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\ProductOptions' } catch { $null }
        $Survey.Cache['controller'] = [bool]$values -and [string]$values.ProductType -eq 'LanmanNT'
    }
    $Survey.Cache['controller']
}
