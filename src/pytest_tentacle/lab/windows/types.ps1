# .NET types that only work, or only make sense, on Windows: classes of the same short names, found before the real ones
# by every script that is parsed after this one. The product's code stays as it is.

[NoRunspaceAffinity()]
class LabDns {
    # Names are those of machine.json, `localhost` and the machine's own, which Windows answers itself: an own address stands for the machine's loopback. A word instead of
    # addresses is how the look-up ends (link.model.Failure); `timed-out` never ends.
    static [System.Threading.Tasks.Task[System.Net.IPAddress[]]] GetHostAddressesAsync([string]$Name) {
        $source = New-Object 'System.Threading.Tasks.TaskCompletionSource[System.Net.IPAddress[]]'
        $lab = (Get-Variable -Name TentacleLab -ValueOnly).Machine
        $answer = $lab.names.$Name
        if ($null -eq $answer -and @('localhost', $lab.hostname, "$($lab.hostname).lab.example") -contains $Name) { $answer = $lab.addresses }
        if ($null -eq $answer -and $lab.network_names) { return [LabDns]::Ask($Name, $lab.dns_silent) }
        if ($null -eq $answer) { $answer = 'name-not-found' }
        $numbers = @{ 'name-not-found' = 11001; 'resolver-failed' = 11002; 'no-address' = 11004 }
        if ($answer -is [string] -and $numbers.ContainsKey($answer)) {
            $source.SetException((New-Object System.Net.Sockets.SocketException ([int]$numbers[$answer])))
        } elseif ($answer -isnot [string] -or $answer -ne 'timed-out') {
            $source.SetResult([System.Net.IPAddress[]]@(@($answer) | ForEach-Object { [System.Net.IPAddress]::Parse([string]$_) }))
        }
        return $source.Task
    }
    # Of the network that this engine runs in. `dns_silent` of machine.json is the number that Windows is to say where no
    # server answers, which on Linux is 11002.
    static [System.Threading.Tasks.Task[System.Net.IPAddress[]]] Ask([string]$Name, [object]$Silent) {
        if (-not $Silent) { return [System.Net.Dns]::GetHostAddressesAsync($Name) }
        $source = New-Object 'System.Threading.Tasks.TaskCompletionSource[System.Net.IPAddress[]]'
        try {
            $source.SetResult([System.Net.Dns]::GetHostAddresses($Name))
        } catch {
            $cause = $_.Exception.GetBaseException()
            $unanswered = $cause -is [System.Net.Sockets.SocketException] -and [string]$cause.SocketErrorCode -eq 'TryAgain'
            $source.SetException($(if ($unanswered) { New-Object System.Net.Sockets.SocketException ([int]$Silent) } else { $cause }))
        }
        return $source.Task
    }
}

[NoRunspaceAffinity()]
class LabSid {
    [string]$Value
    LabSid([string]$Value) { $this.Value = $Value }
    LabSid([byte[]]$Bytes, [int]$At) {
        $authority = [long]0
        foreach ($each in $Bytes[($At + 2)..($At + 7)]) { $authority = $authority * 256 + $each }
        $parts = for ($number = 0; $number -lt $Bytes[$At + 1]; $number++) { [System.BitConverter]::ToUInt32($Bytes, $At + 8 + 4 * $number) }
        $this.Value = "S-$($Bytes[$At])-$authority-$(@($parts) -join '-')"
    }
    [object] Translate([type]$Type) {
        $locale = [string](Get-Variable -Name TentacleLab -ValueOnly).Machine.locale
        $names = (Get-Variable -Name LabAccounts -ValueOnly)[$locale]
        if (-not $names) { $names = (Get-Variable -Name LabAccounts -ValueOnly)['en'] }
        if (-not $names[$this.Value]) { throw (New-Object LabIdentityException (Get-LabText 'NoName')) }
        return [pscustomobject]@{ Value = $names[$this.Value] }
    }
    [string] ToString() { return $this.Value }
}

# An account's name, which the machine's LSA makes a SID of, by way of its domain controller (3). machine.json's
# `domain_seconds` is how long that takes, and `denied` may hold `domain`.
[NoRunspaceAffinity()]
class LabNtAccount {
    [string]$Value
    LabNtAccount([string]$Name) { $this.Value = $Name }
    [object] Translate([type]$Type) {
        $lab = (Get-Variable -Name TentacleLab -ValueOnly).Machine
        if ($lab.domain_seconds) { [System.Threading.Thread]::Sleep([int](1000 * $lab.domain_seconds)) }
        $sid = if (@($lab.denied) -contains 'domain') { '' } else { Get-LabAccountSid $this.Value }
        if (-not $sid) { throw (New-Object LabIdentityException (Get-LabText 'NoName')) }
        return New-Object LabSid $sid
    }
}

# The machine's own directory (ADSI's WinNT provider): a group's members, as COM objects that give their SID in bytes,
# whether anybody knows their names or not. `denied` may hold `directory`.
[NoRunspaceAffinity()]
class LabDirectoryMember {
    [byte[]]$objectSid
    LabDirectoryMember([string]$Sid) {
        $parts = @($Sid -split '-')
        $bytes = [byte[]]@([byte]$parts[1], [byte]($parts.Count - 3), 0, 0, 0, 0, 0, [byte]$parts[2])
        foreach ($part in $parts[3..($parts.Count - 1)]) { $bytes += [System.BitConverter]::GetBytes([uint32]$part) }
        $this.objectSid = $bytes
    }
}

[NoRunspaceAffinity()]
class LabDirectoryEntry {
    [string]$Path
    LabDirectoryEntry([string]$Path) { $this.Path = $Path }
    [object[]] Invoke([string]$Method) {
        $lab = (Get-Variable -Name TentacleLab -ValueOnly).Machine
        $name = ($this.Path -replace '^WinNT://\./', '') -replace ',group$', ''
        $accounts = (Get-Variable -Name LabAccounts -ValueOnly)[$(if ($lab.locale) { [string]$lab.locale } else { 'en' })]
        $sid = @($accounts.Keys | Where-Object { @($accounts[$_] -split '\\')[-1] -eq $name })[0]
        if (@($lab.denied) -contains 'directory' -or -not $sid) { throw (New-Object System.Runtime.InteropServices.COMException 'The group name could not be found.') }
        $found = Get-LabGroupMember $sid
        if (@($lab.orphaned) -contains $sid) { $found += 'S-1-5-21-9999-8888-7777-1500' }
        return @($found | ForEach-Object { New-Object LabDirectoryMember $_ })
    }
}

# The survey's own account: an administrator of the machine, unless machine.json denies that.
[NoRunspaceAffinity()]
class LabIdentity {
    [string]$Name
    [object[]]$Groups
    static [LabIdentity] GetCurrent() {
        $lab = (Get-Variable -Name TentacleLab -ValueOnly).Machine
        $identity = New-Object LabIdentity
        $identity.Name = "$($lab.hostname)\surveyor"
        $ids = @('S-1-1-0', 'S-1-5-32-545')
        if (@($lab.denied) -notcontains 'elevation') { $ids += 'S-1-5-32-544' }
        $identity.Groups = @($ids | ForEach-Object { New-Object LabSid $_ })
        return $identity
    }
}

# The table of connections that .NET has: as machine.json's sockets, without their owners.
[NoRunspaceAffinity()]
class LabTcpTable {
    static [LabTcpTable] GetIPGlobalProperties() { return New-Object LabTcpTable }
    [object[]] GetActiveTcpConnections() {
        $lab = (Get-Variable -Name TentacleLab -ValueOnly).Machine
        $states = Get-Variable -Name LabTcpStates -ValueOnly
        if (@($lab.denied) -contains 'connections') { throw (New-Object System.Net.NetworkInformation.NetworkInformationException (5)) }
        return @(foreach ($socket in @($lab.sockets | Where-Object { $_ -and $_.remote_port })) {
            @{
                State = [int]$states[[string]$socket.state]
                LocalEndPoint = New-Object System.Net.IPEndPoint ([System.Net.IPAddress]::Parse([string]$socket.address)), ([int]$socket.port)
                RemoteEndPoint = New-Object System.Net.IPEndPoint ([System.Net.IPAddress]::Parse([string]$socket.remote_address)), ([int]$socket.remote_port)
            }
        })
    }
}

# Who signed a program: a real certificate, of the file signer.txt that windows_programs.py makes of machine.json's `crl`
# and `ocsp`. Where there is no signature, .NET throws a CryptographicException.
[NoRunspaceAffinity()]
class LabSignedFile {
    static [System.Security.Cryptography.X509Certificates.X509Certificate] CreateFromSignedFile([string]$Path) {
        $file = [System.IO.Path]::Combine((Get-Variable -Name TentacleLab -ValueOnly).Folder, 'signer.txt')
        if (-not [System.IO.File]::Exists($file)) { throw (New-Object System.Security.Cryptography.CryptographicException 'Cannot find the requested object.') }
        $der = [System.Convert]::FromBase64String([System.IO.File]::ReadAllText($file))
        return New-Object System.Security.Cryptography.X509Certificates.X509Certificate (, $der)
    }
}

# Exceptions whose own types are Windows' alone.
[NoRunspaceAffinity()]
class LabIdentityException : System.SystemException { LabIdentityException([string]$Message) : base($Message) { } }
[NoRunspaceAffinity()]
class LabCimJobException : System.SystemException { LabCimJobException([string]$Message) : base($Message) { } }
[NoRunspaceAffinity()]
class LabServiceException : System.SystemException { LabServiceException([string]$Message) : base($Message) { } }
[NoRunspaceAffinity()]
class LabProcessException : System.SystemException { LabProcessException([string]$Message) : base($Message) { } }
[NoRunspaceAffinity()]
class LabGroupException : System.Exception { LabGroupException([string]$Message) : base($Message) { } }
[NoRunspaceAffinity()]
class LabEventException : System.Exception { LabEventException([string]$Message) : base($Message) { } }

# A value of type REG_EXPAND_SZ.
[NoRunspaceAffinity()]
class LabExpandable {
    [string]$Raw
    LabExpandable([string]$Raw) { $this.Raw = $Raw }
    [string] Expanded() { return [System.Environment]::ExpandEnvironmentVariables($this.Raw) }
}

$accelerators = [psobject].Assembly.GetType('System.Management.Automation.TypeAccelerators')
foreach ($type in [LabSid], [LabNtAccount], [LabDirectoryMember], [LabDirectoryEntry], [LabIdentityException], [LabCimJobException], [LabServiceException], [LabProcessException], [LabGroupException], [LabEventException], [LabExpandable]) {
    $accelerators::Add($type.Name, $type)
}
$accelerators::Add('Net.Dns', [LabDns])
$accelerators::Add('Security.Principal.SecurityIdentifier', [LabSid])
$accelerators::Add('Security.Principal.NTAccount', [LabNtAccount])
$accelerators::Add('DirectoryServices.DirectoryEntry', [LabDirectoryEntry])
$accelerators::Add('Diagnostics.Eventing.Reader.EventLogException', [LabEventException])
$accelerators::Add('Security.Principal.WindowsIdentity', [LabIdentity])
$accelerators::Add('Net.NetworkInformation.IPGlobalProperties', [LabTcpTable])
$accelerators::Add('Security.Cryptography.X509Certificates.X509Certificate2', [LabSignedFile])
