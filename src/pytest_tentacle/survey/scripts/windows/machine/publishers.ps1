# Whether Windows can find out if the publisher's certificate of a program was revoked: a look at the places that the
# certificate names, by a HEAD each. Nothing is verified and no chain is built, since that would write into the cache.
# We look as the survey's account, directly and by WinHTTP's proxy; an account with a proxy of its own may come further.

# Addresses that are tried, and the seconds for all of them together.
$PublisherLimit = 4
$PublisherPatience = 4

function Set-Reachability {
    param([hashtable[]]$Revocation, [hashtable[]]$Executable)
    $found = try { Get-Reachability $Executable } catch { @{ Reachable = $null; Detail = 'not tried: ' + (Get-Reason $_) } }
    foreach ($record in $Revocation) {
        if (-not $record.enabled) { continue }
        $detail = $found.Detail
        if ($found.Reachable -eq $false -and (Test-OwnProxy $record.account)) {
            $detail += '; the account has, or may have, a proxy of its own, which was not tried'
        } else {
            $record['reachable'] = $found.Reachable
        }
        $record['detail'] = "$($record.detail); $detail"
    }
}

function Get-Reachability {
    param([hashtable[]]$Executable)
    $addresses = @(foreach ($one in $Executable) { Get-PublisherAddress $one.Path }) | Sort-Object -Unique | Select-Object -First $PublisherLimit
    if (-not $addresses) { return @{ Reachable = $null; Detail = "the program's signature names no place to look at" } }
    $proxy = Get-WinHttpServer
    $exchanges = @(foreach ($address in $addresses) {
        ConvertTo-PublisherExchange $address $null
        if ($proxy) { ConvertTo-PublisherExchange $address $proxy }
    })
    $seconds = [Math]::Min($PublisherPatience, (Get-SectionSecond))
    if ($seconds -lt 1) { throw 'no time left in the budget of the script' }
    Invoke-Exchange -Exchange $exchanges -Seconds $seconds
    $answers = @($exchanges | Where-Object { Test-PublisherAnswer $_ })
    # Who is refused at once does not wait, and what waits is what makes a start slow.
    $waits = @($exchanges | Where-Object { -not $_.Line -and $_.Error -ne 'refused' })
    $reachable = if ($answers.Count) { $true } elseif ($waits.Count) { $false } else { $null }
    $told = @($exchanges | ForEach-Object { "$($_.Address) $($_.Way): " + $(if ($_.Line) { $_.Line } else { "$($_.Error) after $([int]$_.Ms) ms" }) })
    @{ Reachable = $reachable; Detail = "as the survey's account: " + ($told -join ', ') }
}

# Any answer is one, but for a proxy's own refusals (407, 403) and failures.
function Test-PublisherAnswer {
    param([hashtable]$Exchange)
    $status = Read-StatusCode $Exchange
    if ($null -eq $status) { return $false }
    $Exchange.Way -eq 'directly' -or (@(403, 407) -notcontains $status -and $status -lt 500)
}

function ConvertTo-PublisherExchange {
    param([string]$Address, $Proxy)
    $uri = [uri]$Address
    $place = if ($uri.IsDefaultPort) { $uri.DnsSafeHost } else { "$($uri.DnsSafeHost):$($uri.Port)" }
    $target = if ($Proxy) { $Address } else { $uri.PathAndQuery }
    @{
        Address = $Address; Way = if ($Proxy) { "by WinHTTP's proxy" } else { 'directly' }; Tunnel = $null
        Host = if ($Proxy) { $Proxy.Host } else { $uri.DnsSafeHost }; Port = if ($Proxy) { $Proxy.Port } else { $uri.Port }
        Text = "HEAD $target HTTP/1.1${CrLf}Host: $place${CrLf}Connection: close$CrLf$CrLf"
    }
}

# The static proxy of the machine's WinHTTP, where there is one: `host:port`, or `http=host:port;...`.
function Get-WinHttpServer {
    $record = Get-WinHttpProxy
    if (-not $record -or -not $record.enabled) { return $null }
    foreach ($entry in ([string]$record.address -split '[;\s]+')) {
        if ($entry -match '^(?:http=)?(?:http://)?([^=:/@\s]+)(?::(\d{1,5}))?/?$') {
            return @{ Host = $Matches[1]; Port = if ($Matches[2]) { [int]$Matches[2] } else { 80 } }
        }
    }
}

# Where the proxies cannot be read, there may be one.
function Test-OwnProxy {
    param([string]$Account)
    $proxies = try { @(Get-ProxySection) } catch { return $true }
    foreach ($proxy in $proxies) {
        if ($proxy.enabled -and @('wininet', 'policy') -contains $proxy.layer -and (-not $proxy.account -or $proxy.account -eq $Account)) { return $true }
    }
    $false
}

# The HTTP addresses of revocation lists (extension 2.5.29.31) and of the responder (OCSP, 1.3.6.1.5.5.7.48.1) that the
# signer's certificate names. Windows looks at either. A program without a signature names none.
function Get-PublisherAddress {
    param([string]$Path)
    # The method is one of X509Certificate, which this type inherits.
    $type = [Security.Cryptography.X509Certificates.X509Certificate2]
    try {
        $certificate = $type::CreateFromSignedFile($Path)
    } catch {
        if (Test-Chain $_.Exception ([Security.Cryptography.CryptographicException])) { return }
        throw
    }
    # One character for each byte. A URI is tag 0x86 and a length before its text.
    $der = [Text.Encoding]::GetEncoding(28591).GetString($certificate.GetRawCertData())
    $lists = $der.IndexOf("$([char]6)$([char]3)$([char]0x55)$([char]0x1d)$([char]0x1f)", [StringComparison]::Ordinal)
    if ($lists -ge 0) {
        $at = $der.IndexOf([char]4, $lists + 5)
        $length, $begin = Read-DerLength $der ($at + 1)
        if ($at -ge 0 -and $begin + $length -le $der.Length) { Get-DerUri $der.Substring($begin, $length) '' }
    }
    Get-DerUri $der '\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01'
}

function Read-DerLength {
    param([string]$Text, [int]$At)
    $first = [int]$Text[$At]
    if ($first -lt 0x80) { return $first, ($At + 1) }
    $length = 0
    foreach ($number in 1..($first -band 0x7f)) { $length = $length * 256 + [int]$Text[$At + $number] }
    $length, ($At + 1 + ($first -band 0x7f))
}

function Get-DerUri {
    param([string]$Text, [string]$Before)
    foreach ($found in [regex]::Matches($Text, "$Before\x86(?=(?:\x81.|.)http://)", 'Singleline')) {
        $length, $begin = Read-DerLength $Text ($found.Index + $found.Length)
        if ($begin + $length -gt $Text.Length) { continue }
        $uri = $Text.Substring($begin, $length)
        if ($uri -match '^http://[\x21-\x7e]+$' -and ($uri -as [uri]).IsAbsoluteUri) { $uri }
    }
}
