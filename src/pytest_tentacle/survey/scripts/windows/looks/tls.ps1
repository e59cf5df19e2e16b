# What Schannel may do: the registry's protocols of both sides, cipher suites, curves and signatures in their order.

$SchannelKey = 'HKLM:\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL'
$SchannelProtocols = 'SSL 2.0', 'SSL 3.0', 'TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3'
$SuitePolicyKey = 'HKLM:\SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002'
$SuiteKey = 'HKLM:\SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\SSL\00010002'
$SignaturePolicyKey = 'HKLM:\SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010003'
$SignatureKey = 'HKLM:\SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\SSL\00010003'

function Get-TlsSection {
    $version = Get-RegistryValue 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $policy = Get-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy'
    $suites = @(Get-CipherSuiteName)
    $curves = @(Get-CurveName)
    $signatures = @(Get-SignatureName)
    $section = @{
        library    = 'Schannel'
        build      = if ($version -and $version.CurrentBuild) { [int]$version.CurrentBuild } else { $null }
        protocols  = @(Get-SchannelProtocol)
        fips       = if ($policy) { (Get-Switch $policy 'Enabled') -eq $true -or (Get-Switch $policy 'MDMEnabled') -eq $true } else { $false }
        disabled   = @(Get-DisabledAlgorithm)
        dotnet     = @(Get-DotNetSwitch)
        root_lists = Get-RootListFact
    }
    if ($suites.Count) { $section['cipher_suites'] = $suites }
    if ($curves.Count) { $section['curves'] = $curves }
    if ($signatures.Count) { $section['signatures'] = $signatures }
    $section
}

# Ciphers, hashes (with them the signatures that use these) and key exchanges that are switched off, and the least length of
# keys that this machine takes as a client.
function Get-DisabledAlgorithm {
    foreach ($kind in 'Ciphers', 'Hashes', 'KeyExchangeAlgorithms') {
        foreach ($key in @(Get-LegacyKey "$SchannelKey\$kind")) {
            $name = [string]$key.PSChildName
            $values = Get-RegistryValue "$SchannelKey\$kind\$name"
            if ((Get-Switch $values 'Enabled') -eq $false) { "$kind\$name" }
            if ($values -and $values.ClientMinKeyBitLength) { "$kind\$name below $([int64]$values.ClientMinKeyBitLength) bits" }
        }
    }
}

# What .NET Framework programs offer: Tentacle before version 6, and this look itself. Newer ones go by Schannel alone.
function Get-DotNetSwitch {
    foreach ($root in 'HKLM:\SOFTWARE\Microsoft', 'HKLM:\SOFTWARE\WOW6432Node\Microsoft') {
        foreach ($version in 'v2.0.50727', 'v4.0.30319') {
            $values = Get-RegistryValue "$root\.NETFramework\$version"
            foreach ($name in 'SchUseStrongCrypto', 'SystemDefaultTlsVersions') {
                $value = Get-Switch $values $name
                if ($null -ne $value) { '{0} {1} {2}={3}' -f $(if ($root -like '*WOW*') { '32 bit' } else { '64 bit' }), $version, $name, [int]$value }
            }
        }
    }
}

# Whether each look at a certificate may have Windows fetch the lists of trusted and forbidden roots from the Internet, and
# when it last succeeded; without a way there each attempt waits for as long as `seconds`.
function Get-RootListFact {
    $policy = Get-RegistryValue 'HKLM:\SOFTWARE\Policies\Microsoft\SystemCertificates\AuthRoot'
    $update = Get-RegistryValue 'HKLM:\SOFTWARE\Microsoft\SystemCertificates\AuthRoot\AutoUpdate'
    $engine = Get-RegistryValue 'HKLM:\SOFTWARE\Microsoft\Cryptography\OID\EncodingType 0\CertDllCreateCertificateChainEngine\Config'
    $synced = if ($update) { $update.LastSyncTime -as [byte[]] } else { $null }
    @{
        disabled   = (Get-Switch $policy 'DisableRootAutoUpdate') -eq $true
        own_source = if ($update -and $update.RootDirURL) { [string]$update.RootDirURL } else { $null }
        synced_utc = if ($synced -and $synced.Length -eq 8) { ConvertTo-UtcText ([datetime]::FromFileTimeUtc([BitConverter]::ToInt64($synced, 0))) } else { $null }
        seconds    = if ($engine -and $engine.ChainUrlRetrievalTimeoutMilliseconds) { [double]$engine.ChainUrlRetrievalTimeoutMilliseconds / 1000 } else { 15 }
    }
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

# A policy's order wins where there is one; whether the cmdlet shows it is not certain. Before Windows Server 2016 there is
# only the registry.
function Get-CipherSuiteName {
    $policy = @(Get-ConfiguredName -Value 'Functions' -Key $SuitePolicyKey)
    if ($policy.Count) { return $policy }
    try {
        Invoke-Aside -What 'the module TLS' -Seconds 4 -Call { foreach ($suite in @(Get-TlsCipherSuite -ErrorAction Stop)) { [string]$suite.Name } }
    } catch {
        Get-ConfiguredName -Value 'Functions' -Key $SuiteKey
    }
}

function Get-CurveName {
    $policy = @(Get-ConfiguredName -Value 'EccCurves' -Key $SuitePolicyKey)
    if ($policy.Count) { return $policy }
    try {
        Invoke-Aside -What 'the module TLS' -Seconds 4 -Call { foreach ($curve in @(Get-TlsEccCurve -ErrorAction Stop)) { [string]$curve } }
    } catch {
        Get-ConfiguredName -Value 'EccCurves' -Key $SuiteKey
    }
}

# No cmdlet tells them. Under both keys Microsoft's own support looks for them (its collectors for PKI and remote desktop).
function Get-SignatureName {
    $policy = @(Get-ConfiguredName -Value 'Functions' -Key $SignaturePolicyKey)
    if ($policy.Count) { return $policy }
    Get-ConfiguredName -Value 'Functions' -Key $SignatureKey
}

# A policy is one text with commas, the system's own list one text each. Names of suites end in a curve on Server 2012 R2.
function Get-ConfiguredName {
    param([string]$Value, [string]$Key)
    $values = Get-RegistryValue $Key
    if (-not $values) { return }
    foreach ($text in @($values.$Value)) { foreach ($name in ([string]$text) -split ',') { if ($name.Trim()) { $name.Trim() -replace '_P(256|384|521)$' } } }
}
