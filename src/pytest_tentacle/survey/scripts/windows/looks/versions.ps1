# Versions of TLS: each link once with each of them, by the probes of link.ps1, all side by side. Only where the request
# asks for it: who is offered a version that it does not take may write an Error into its log.

# By .NET's numbers, oldest first.
$TlsVersions = @(
    @{ Name = 'TLSv1'; Number = 192 }
    @{ Name = 'TLSv1.1'; Number = 768 }
    @{ Name = 'TLSv1.2'; Number = 3072 }
    @{ Name = 'TLSv1.3'; Number = 12288 }
)

function Invoke-VersionProbing {
    $order = $Survey.Request.tls_versions
    if (-not $order) { return }
    $spoken = @($TlsVersions | Where-Object { Test-SpokenVersion $_.Number })
    $links = @(Get-LinkTarget -Asked $order.targets)
    $targets = @(foreach ($link in $links) {
            foreach ($version in $spoken) { @{ link = $link.link; host = $link.host; port = $link.port; by = $link.by; Protocol = $version.Number } }
        })
    $records = @(Invoke-Probing -Target $targets)
    $next = 0
    foreach ($link in $links) {
        $trials = foreach ($version in $TlsVersions) {
            if (@($spoken | ForEach-Object { $_.Number }) -contains $version.Number) {
                ConvertTo-Trial -Version $version.Name -Record $records[$next]
                $next++
            } else {
                @{ version = $version.Name; unavailable = 'this machine does not speak it as a client' }
            }
        }
        @{ link = $link.link; host = $link.host; port = $link.port; by = $link.by; trials = @($trials) }
    }
}

# Whether a hello of this version leaves this machine: said into memory, where nobody answers, so that what policy, system
# or .NET forbid is never taken for the other end's refusal. A record of type 22 is a handshake (an alert may come instead);
# TLS 1.3 stands in the extension supported_versions (43; RFC 8446, 4.2.1), since a library that does not know it may
# offer what it likes.
function Test-SpokenVersion {
    param([int]$Number)
    $memory = New-Object IO.MemoryStream
    $stream = New-Object Net.Security.SslStream ($memory, $true)
    try {
        $stream.AuthenticateAsClient('localhost', $null, [Security.Authentication.SslProtocols]$Number, $false)
    } catch {
        # It cannot but fail: what was said until then is what counts.
        $null = $_
    } finally {
        $stream.Dispose()
    }
    $said = $memory.ToArray()
    if ($said.Length -lt 11 -or $said[0] -ne 22) { return $false }
    if ($Number -ne 12288) { return $true }
    [BitConverter]::ToString($said) -match '-00-2B-00-..-..-(?:..-..-)*?03-04(?:-|$)'
}

function ConvertTo-Trial {
    param([string]$Version, [hashtable]$Record)
    $trial = @{ version = $Version }
    if ($Record['unavailable']) { $trial['unavailable'] = $Record.unavailable }
    foreach ($stage in 'resolve', 'connect', 'tls', 'page') {
        if ($Record[$stage] -and $Record[$stage].error) {
            $trial['stage'] = $stage
            $trial['error'] = $Record[$stage].error
        }
    }
    $tls = $Record['tls']
    if (-not $tls -or $tls.error) { return $trial }
    $trial['cipher'] = $tls.cipher
    if ($tls.version -ne $Version) { return @{ version = $Version; unavailable = "asked for it, this machine spoke $($tls.version)" } }
    $trial
}
