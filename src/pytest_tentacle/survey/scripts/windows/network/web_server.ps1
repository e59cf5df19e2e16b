# What is set up at http.sys, Windows' own web server, where an Octopus Server may have its portal there: the certificate
# that is bound to each endpoint, and for whom each URL prefix is reserved. From the registry, which every account may read:
# netsh prints the same in the machine's language.

$WebServerKey = 'HKLM:\SYSTEM\CurrentControlSet\Services\HTTP\Parameters'
$BindingLimit = 500

function Get-WebServerSetting {
    $found = @{ bindings = $null; prefixes = $null; unread = $null }
    if (-not @($Survey.Cache['instances'] | Where-Object { $_ -and $_.Product -eq 'server' }).Count) { return $found }
    try {
        $bindings = @(Get-CertificateBinding)
        $prefixes = @(Get-ReservedPrefix)
        # A part of them would let the others look missing.
        if ($bindings.Count -gt $BindingLimit -or $prefixes.Count -gt $BindingLimit) { throw "there are more than $BindingLimit of them" }
        $found.bindings = $bindings
        $found.prefixes = $prefixes
    } catch {
        $found.unread = Get-Reason $_
    }
    $found
}

# A key for each address and port, named so; one for each host and port, with the two in a value; and one for a central store of
# certificates, which holds those of many hosts in files.
function Get-CertificateBinding {
    foreach ($kind in 'SslBindingInfo', 'SslSniBindingInfo', 'SslCcsBindingInfo') {
        foreach ($key in @(Get-LegacyKey "$WebServerKey\$kind")) {
            $name = [string]$key.PSChildName
            $values = Get-RegistryTable "$WebServerKey\$kind\$name"
            $named = $values['HostnamePort']
            $endpoint = if ($named -is [byte[]]) { [Text.Encoding]::Unicode.GetString($named).TrimEnd([char]0) } elseif ($named) { [string]$named } else { $name }
            $hash = $values['SslCertHash'] -as [byte[]]
            $thumbprint = if ($hash -and $hash.Length -eq 20) { -join @($hash | ForEach-Object { '{0:X2}' -f $_ }) } else { $null }
            $store = if ($values['SslCertStoreName']) { [string]$values['SslCertStoreName'] } else { 'MY' }
            $binding = @{ endpoint = $endpoint; thumbprint = $thumbprint; store = $store; central = $kind -eq 'SslCcsBindingInfo' }
            if ($thumbprint) { Add-BoundCertificate $binding }
            $binding
        }
    }
}

# Whether the machine's store holds the certificate, by itself or by a policy, and says that there is a key to it.
function Add-BoundCertificate {
    param([hashtable]$Binding)
    $Binding['stored'] = $false
    foreach ($root in 'Microsoft\SystemCertificates', 'Policies\Microsoft\SystemCertificates', 'Microsoft\EnterpriseCertificates') {
        $values = Get-RegistryValue "HKLM:\SOFTWARE\$root\$($Binding.store)\Certificates\$($Binding.thumbprint)"
        if ($null -eq $values) { continue }
        $Binding['stored'] = $true
        $Binding['has_key'] = $null -ne (Get-StoredProperty -Blob $values.Blob -Number 2)
        return
    }
}

# Values by the name of their prefix: a security descriptor in one piece, which is read where it is judged.
function Get-ReservedPrefix {
    $values = Get-RegistryTable "$WebServerKey\UrlAclInfo"
    foreach ($url in @($values.Keys | Sort-Object)) {
        if ($values[$url] -is [byte[]]) { @{ url = [string]$url; descriptor = -join @($values[$url] | ForEach-Object { '{0:x2}' -f $_ }) } }
    }
}
