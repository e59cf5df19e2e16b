# The one word for why a stage failed: from numbers and types, never from a message, whose language is the machine's.

# .NET's SocketErrorCode has the same names on every system.
$SocketWords = @{
    resolve = @{ HostNotFound = 'name-not-found'; NoData = 'no-address'; TryAgain = 'resolver-failed'; NoRecovery = 'resolver-failed'; TimedOut = 'timed-out' }
    connect = @{
        ConnectionRefused = 'refused'; TimedOut = 'timed-out'; HostUnreachable = 'unreachable'; NetworkUnreachable = 'unreachable'
        NetworkDown = 'unreachable'; AddressNotAvailable = 'unreachable'; AddressFamilyNotSupported = 'unreachable'
        HostDown = 'unreachable'; AccessDenied = 'prohibited'; ConnectionReset = 'reset'; ConnectionAborted = 'reset'
    }
    stream  = @{ ConnectionReset = 'reset'; ConnectionAborted = 'reset'; TimedOut = 'timed-out'; Shutdown = 'closed'; NotConnected = 'closed' }
}

# Schannel's status, as NativeErrorCode of a Win32Exception (sspi.h).
$SchannelWords = @{
    '80090302' = 'protocol-version'  # SEC_E_UNSUPPORTED_FUNCTION: alert protocol_version
    '80090308' = 'not-tls'           # SEC_E_INVALID_TOKEN
    '80090326' = 'no-common-cipher'  # SEC_E_ILLEGAL_MESSAGE: a fatal alert, as a rule handshake_failure
    '80090331' = 'no-common-cipher'  # SEC_E_ALGORITHM_MISMATCH
}

# OpenSSL's reason, the low bits of the HResult, where PowerShell 7 runs on it.
$OpenSslWords = @{ 258 = 'protocol-version'; 1070 = 'protocol-version'; 1040 = 'no-common-cipher'; 267 = 'not-tls' }

function Get-FailureWord {
    param([hashtable]$Probe, $Exception)
    $chain = Get-ExceptionChain $Exception
    $group = if (@('resolve', 'connect') -contains $Probe.Stage) { $Probe.Stage } else { 'stream' }
    foreach ($cause in $chain) {
        if ($cause -is [Net.Sockets.SocketException]) {
            $word = $SocketWords[$group][[string]$cause.SocketErrorCode]
            if ($word) { return $word }
            return 'other'
        }
    }
    if ($Probe.Stage -eq 'tls') { return Get-TlsFailureWord $Probe $chain }
    if ($group -eq 'stream') { return 'closed' }
    'other'
}

# The system's own words; before them, where there is no word of ours for it, .NET's name, which has no language:
# NoBufferSpaceAvailable and AddressAlreadyInUse say that this machine has no port left.
function Get-FailureText {
    param([string]$Word, $Exception)
    $cause = (Get-ExceptionChain $Exception)[-1]
    if ($Word -eq 'other' -and $cause -is [Net.Sockets.SocketException]) { return "$($cause.SocketErrorCode): $($cause.Message)" }
    $cause.Message
}

function Get-TlsFailureWord {
    param([hashtable]$Probe, [object[]]$Chain)
    foreach ($cause in $Chain) {
        if ($cause -is [ComponentModel.Win32Exception]) {
            $word = $SchannelWords['{0:X8}' -f $cause.NativeErrorCode]
            if ($word) { return $word }
            return 'other'
        }
        if ($cause -is [Security.Cryptography.CryptographicException]) {
            $word = $OpenSslWords[$cause.HResult -band 0xFFF]
            if ($word) { return $word }
            return 'other'
        }
    }
    # Neither system spoke: the stream ended, or what came is no TLS record. Current .NET says the latter with an
    # AuthenticationException of its own; the .NET Framework uses the same type for both, but reads no more than a
    # record's head, so that the rest of what is no TLS still waits in the socket.
    if ($PSVersionTable.PSEdition -eq 'Core' -and $Chain[-1] -is [Security.Authentication.AuthenticationException]) { return 'not-tls' }
    try { if ($Probe.Client.Available -gt 0) { return 'not-tls' } } catch { return 'closed' }
    'closed'
}

function Get-TlsVersion {
    param([int]$Number)
    $names = @{ 12 = 'SSLv2'; 48 = 'SSLv3'; 192 = 'TLSv1'; 768 = 'TLSv1.1'; 3072 = 'TLSv1.2'; 12288 = 'TLSv1.3' }
    if ($names.ContainsKey($Number)) { $names[$Number] } else { "protocol $Number" }
}

# The suite's IANA name where .NET knows it; the .NET Framework only knows the parts.
function Get-CipherName {
    param($Tls)
    try {
        if ($null -ne $Tls.NegotiatedCipherSuite) { return [string]$Tls.NegotiatedCipherSuite }
        "$($Tls.CipherAlgorithm)-$($Tls.CipherStrength) $($Tls.HashAlgorithm) $($Tls.KeyExchangeAlgorithm)"
    } catch {
        $null
    }
}
