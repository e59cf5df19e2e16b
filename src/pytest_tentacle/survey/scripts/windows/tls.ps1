# What Schannel may do: the registry's protocols of both sides, cipher suites and curves in their order.

$SchannelKey = 'HKLM:\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL'
$SchannelProtocols = 'SSL 2.0', 'SSL 3.0', 'TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3'
$SuiteKey = 'HKLM:\SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\SSL\00010002'

function Get-TlsSection {
    $version = Get-RegistryValue 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $policy = Get-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy'
    $suites = @(Get-CipherSuiteName)
    $curves = @(Get-CurveName)
    $section = @{
        library   = 'Schannel'
        build     = if ($version -and $version.CurrentBuild) { [int]$version.CurrentBuild } else { $null }
        protocols = @(Get-SchannelProtocol)
        fips      = if ($policy) { (Get-Switch $policy 'Enabled') -eq $true } else { $false }
    }
    if ($suites.Count) { $section['cipher_suites'] = $suites }
    if ($curves.Count) { $section['curves'] = $curves }
    $section
}

# A value that is not there, or is no number (Schannel ignores it then), is $null: the system's default holds.
function Get-Switch {
    param($Values, [string]$Name)
    $value = if ($Values) { $Values.$Name } else { $null }
    if ($value -is [int] -or $value -is [long] -or $value -is [uint32]) { return ($value -ne 0) }
    $null
}

function Get-SchannelProtocol {
    foreach ($name in $SchannelProtocols) {
        foreach ($side in 'Client', 'Server') {
            $values = Get-RegistryValue "$SchannelKey\Protocols\$name\$side"
            @{
                name                = $name
                side                = $side.ToLowerInvariant()
                enabled             = Get-Switch $values 'Enabled'
                disabled_by_default = Get-Switch $values 'DisabledByDefault'
            }
        }
    }
}

# The cmdlet tells what holds, policies included; before Windows Server 2016 there is only the registry.
function Get-CipherSuiteName {
    try { @(Get-TlsCipherSuite -ErrorAction Stop | ForEach-Object { [string]$_.Name }) } catch { Get-ConfiguredName 'Functions' }
}

function Get-CurveName {
    try { @(Get-TlsEccCurve -ErrorAction Stop | ForEach-Object { [string]$_ }) } catch { Get-ConfiguredName 'EccCurves' }
}

# A policy is one text with commas, the system's own list one text each.
function Get-ConfiguredName {
    param([string]$Value)
    $policy = Get-RegistryValue 'HKLM:\SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002'
    $own = Get-RegistryValue $SuiteKey
    $texts = if ($policy -and $policy.$Value) { @($policy.$Value) } elseif ($own) { @($own.$Value) } else { @() }
    foreach ($text in $texts) { foreach ($name in ([string]$text) -split ',') { if ($name.Trim()) { $name.Trim() } } }
}
