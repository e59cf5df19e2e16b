# Where the private keys of Tentacles' certificates lie, by the store of whom the service runs as: whether a key's file is
# there, and its access list. The key itself is never opened: that would be noted as a use of it, and some ask a person.

function Get-PrivateKeySection {
    foreach ($instance in @(Get-KnownList 'instances')) {
        if ($instance.Product -ne 'tentacle') { continue }
        $thumbprint = ([string]$instance.Settings['Tentacle.CertificateThumbprint']).Trim().ToUpperInvariant()
        $service = Get-InstanceService $instance
        if (-not $service -or $thumbprint -notmatch '^[0-9A-F]{40}$') { continue }
        $sid = Get-ProcessSid $service
        if (-not $sid) { $sid = Get-AccountSid $service.account }
        $key = @{ instance = $instance.Name; account = $service.account; sid = $sid; thumbprint = $thumbprint }
        try {
            Add-StoredKey $key
            if ($key.access) {
                $account = @($BuiltInSid.Keys | Where-Object { $BuiltInSid[$_] -eq $sid }) + $service.account
                $groups = Get-AccountGroup -Account $account[0] -Sid $sid -Access @($key.access)
                $key['groups'] = @($groups.Sids)
                $key['groups_complete'] = $groups.Complete
            }
        } catch {
            $key['detail'] = Get-Reason $_
        }
        $key
    }
}

# The store Octopus of the account's own part of the registry, which is there while something runs under the account.
function Add-StoredKey {
    param([hashtable]$Key)
    if (-not $Key.sid) { $Key['detail'] = 'nobody tells whose store it is'; return }
    $hive = Get-AccountHive $Key.sid
    if (-not (Test-Path -LiteralPath $hive)) { $Key['detail'] = 'its part of the registry is not loaded'; return }
    $null = Get-RegistryValue "$hive\Environment"
    $values = Get-RegistryValue "$hive\Software\Microsoft\SystemCertificates\Octopus\Certificates\$($Key.thumbprint)"
    $Key['stored'] = $null -ne $values
    if (-not $Key.stored) { return }
    $place = ConvertFrom-KeyProperty (Get-StoredProperty -Blob $values.Blob -Number 2)
    $Key['has_key'] = $null -ne $place
    if (-not $place) { return }
    $Key['provider'] = $place.Provider
    # Of a chip, a card or another maker's device nobody sees a file.
    if ($place.Provider -notmatch '^(?i)Microsoft (?!.*(Smart Card|Platform|Passport))') {
        $Key['detail'] = "keys of $($place.Provider) are no files"
        return
    }
    $found = @(Invoke-Aside -What 'the folder of private keys' -Seconds ([Math]::Max(1, (Get-SectionSecond))) -Argument $place, $Key.sid -Call {
            param($Place, $Sid)
            Find-KeyFile -Place $Place -Sid $Sid
        })[0]
    $Key['access'] = $found.Access
    $Key['of_another_machine'] = $found.Foreign
    $Key['detail'] = $found.Detail
}

# A stored certificate is a row of properties, each with number, a reserved word and length before it: 2 is where its key
# is, 32 the certificate itself (MS-GPEF 2.2.1.1.1.1).
function Get-StoredProperty {
    param($Blob, [int]$Number)
    $bytes = $Blob -as [byte[]]
    $at = 0
    while ($null -ne $bytes -and $at + 12 -le $bytes.Length) {
        $property, $length = [BitConverter]::ToInt32($bytes, $at), [BitConverter]::ToInt32($bytes, $at + 8)
        $at += 12
        if ($length -lt 0 -or $at + $length -gt $bytes.Length) { return $null }
        if ($property -eq $Number) {
            $data = New-Object byte[] $length
            [Array]::Copy($bytes, $at, $data, 0, $length)
            return , $data
        }
        $at += $length
    }
}

# CRYPT_KEY_PROV_INFO as it is stored: places of the container's and the provider's name, the provider's type (0: CNG),
# flags (0x20: the machine's keys), two numbers, the kind of key; then the names in UTF-16, each with a zero behind it.
function ConvertFrom-KeyProperty {
    param($Bytes)
    if ($null -eq $Bytes -or $Bytes.Length -lt 28) { return $null }
    $names = @(foreach ($at in 0, 4) {
            $start = [BitConverter]::ToInt32($Bytes, $at)
            $text = if ($start -ge 28 -and $start -lt $Bytes.Length) { [Text.Encoding]::Unicode.GetString($Bytes, $start, $Bytes.Length - $start) } else { '' }
            @($text -split [char]0)[0]
        })
    $flags = [BitConverter]::ToInt32($Bytes, 12)
    @{ Container = $names[0]; Provider = $names[1]; IsCng = [BitConverter]::ToInt32($Bytes, 8) -eq 0; IsMachine = ($flags -band 0x20) -ne 0 }
}

# The file's name: MD5 of the container's name, in the narrow code page with a zero, and the machine's identifier. That CNG
# makes it of the wide characters, or gives it the container's own name, is not known for sure: all are looked for, and a CNG
# key without a file under these names is not said to be gone.
function Find-KeyFile {
    param([hashtable]$Place, [string]$Sid)
    $name = $Place.Container.ToLowerInvariant() + [char]0
    $digests = @(Get-KeyDigest ([Text.Encoding]::Default.GetBytes($name)))
    if ($Place.IsCng) { $digests += Get-KeyDigest ([Text.Encoding]::Unicode.GetBytes($name)) }
    $machine = [string](Get-RegistryValue 'HKLM:\SOFTWARE\Microsoft\Cryptography').MachineGuid
    $folders = @(Get-KeyFolder -Place $Place -Sid $Sid)
    $foreign = $null
    foreach ($folder in $folders) {
        foreach ($digest in $digests) {
            $files = try {
                @(Get-ChildItem -LiteralPath $folder -Filter "${digest}_*" -Force -ErrorAction Stop | ForEach-Object { [string]$_.Name })
            } catch [Management.Automation.ItemNotFoundException] {
                if ((Get-FileErrorWord $_ $folder) -eq 'denied') { throw (New-Object UnauthorizedAccessException "$folder may not be looked into") }
                @()
            }
            foreach ($file in $files) {
                $path = "$folder\$file"
                if ($file -ne "${digest}_$machine") { $foreign = $path; continue }
                try {
                    $list = Read-AccessList $path
                    return @{ Access = @{ path = $path; owner = $list.Owner; entries = $list.Entries }; Foreign = $null; Detail = $null }
                } catch {
                    return @{ Access = @{ path = $path; error = Get-FileErrorWord $_ $path }; Foreign = $null; Detail = Get-Reason $_ }
                }
            }
        }
    }
    if ($Place.IsCng -and -not $foreign) { return @{ Access = $null; Foreign = $null; Detail = "no file of the CNG key $($Place.Container) was found by its name" } }
    @{ Access = @{ path = "$($folders[0])\$($digests[0])_$machine"; error = 'not-found' }; Foreign = $foreign; Detail = $null }
}

function Get-KeyDigest {
    param([byte[]]$Bytes)
    $digest = (New-Object Security.Cryptography.MD5CryptoServiceProvider).ComputeHash($Bytes)
    -join @(foreach ($at in 0, 4, 8, 12) { '{0:x8}' -f [BitConverter]::ToUInt32($digest, $at) })
}

# The folders of either kind of keys, the more likely one first: CNG finds those of the older kind, too.
function Get-KeyFolder {
    param([hashtable]$Place, [string]$Sid)
    $all = "$($env:ProgramData)\Microsoft\Crypto"
    $services = @{ 'S-1-5-19' = 'LocalService'; 'S-1-5-20' = 'NetworkService' }
    $own = if ($services[$Sid]) {
        "$($env:SystemRoot)\ServiceProfiles\$($services[$Sid])"
    } elseif ($Sid -ne 'S-1-5-18') {
        $values = Get-RegistryValue "$ProfileKey\$Sid"
        if ($values) { [string]$values.ProfileImagePath }
    }
    $old = @(if ($Place.IsMachine) { "$all\RSA\MachineKeys" } else { if ($own) { "$own\AppData\Roaming\Microsoft\Crypto\RSA\$Sid" }; "$all\RSA\$Sid" })
    $new = @(if ($Place.IsMachine) { "$all\Keys" } elseif ($own) { "$own\AppData\Roaming\Microsoft\Crypto\Keys" } else { "$all\SystemKeys" })
    if ($Place.IsCng) { $new + $old } else { $old }
}
