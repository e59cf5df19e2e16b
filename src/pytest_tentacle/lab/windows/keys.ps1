# Certificates in the store Octopus of their services' accounts, and the files of their private keys, which are there for
# Get-ChildItem and Get-Acl alone: machine.json's `private_keys`. Each is `{"thumbprint"}`, and may hold `account` (that of the first service), `sid`, `container`, `cng`,
# `user_keys` (in the account's profile, not the machine's folder), `provider`, `without_key`, `file` (`own`, `missing`,
# `foreign`: made on another machine; `named` as CNG might name it), and `entries` of its access list (8c).

$LabKeyFolders = @{ machine = 'RSA\MachineKeys'; 'machine cng' = 'Keys' }

function Initialize-LabKey {
    foreach ($key in @($TentacleLab.Machine.private_keys | Where-Object { $_ })) {
        $account = if ($key.account) { [string]$key.account } else { [string]@($TentacleLab.Machine.services)[0].account }
        $sid = if ($key.sid) { [string]$key.sid } else { Get-LabAccountSid $account }
        $container = if ($key.container) { [string]$key.container } else { '{8F1B0C7A-6E0D-4B44-9A39-2F6C3B6E0F11}' }
        $properties = @(, @(3, [byte[]]@(for ($at = 0; $at -lt 40; $at += 2) { [Convert]::ToByte(([string]$key.thumbprint).Substring($at, 2), 16) })))
        if (-not $key.without_key) { $properties += , @(2, (New-LabKeyProperty -Key $key -Container $container)) }
        $properties += , @(32, [byte[]](0x30, 0))
        $blob = foreach ($property in $properties) { [BitConverter]::GetBytes([int]$property[0]); [BitConverter]::GetBytes(1); [BitConverter]::GetBytes([int]$property[1].Length); $property[1] }
        $TentacleLab.Registry["Registry::HKEY_USERS\$sid\Software\Microsoft\SystemCertificates\Octopus\Certificates\$($key.thumbprint)"] = @{ Blob = [byte[]]$blob }
        if ($key.without_key -or $key.file -eq 'missing') { continue }
        $path = (Get-LabKeyFolder -Key $key -Sid $sid) + '\' + (Get-LabKeyName -Key $key -Container $container)
        $TentacleLab.KeyAccess[$path] = @{
            owner = $sid; protected = $true
            # Who makes one has full control, as SYSTEM and administrators have (8c).
            entries = $(if ($null -ne $key.entries) { $key.entries } else { @('S-1-5-18', 'S-1-5-32-544', $sid | Sort-Object -Unique | ForEach-Object { @{ sid = $_; mask = 0x1F01FF } }) })
        }
        if ($key.entries -eq 'refused') { $TentacleLab.KeyAccess[$path] = 'refused' }
    }
}

# CRYPT_KEY_PROV_INFO as it is serialized (MS-GPEF 2.2.1.1.1.1; 8c).
function New-LabKeyProperty {
    param($Key, [string]$Container)
    $provider = if ($Key.provider) { [string]$Key.provider } elseif ($Key.cng) { 'Microsoft Software Key Storage Provider' } else { 'Microsoft Enhanced Cryptographic Provider v1.0' }
    $names = [Text.Encoding]::Unicode.GetBytes("$Container$([char]0)"), [Text.Encoding]::Unicode.GetBytes("$provider$([char]0)")
    $numbers = 28, (28 + $names[0].Length), $(if ($Key.cng) { 0 } else { 1 }), $(if ($Key.user_keys) { 0 } else { 0x20 }), 0, 0, $(if ($Key.cng) { 0 } else { 1 })
    [byte[]](@($numbers | ForEach-Object { [BitConverter]::GetBytes([int]$_) }) + $names[0] + $names[1])
}

function Get-LabKeyFolder {
    param($Key, [string]$Sid)
    $all = 'C:\ProgramData\Microsoft\Crypto'
    if (-not $Key.user_keys) { return "$all\$($LabKeyFolders[$(if ($Key.cng) { 'machine cng' } else { 'machine' })])" }
    if ($Sid -eq 'S-1-5-18') { return $(if ($Key.cng) { "$all\SystemKeys" } else { "$all\RSA\S-1-5-18" }) }
    $profileFolder = [string]$TentacleLab.Registry["HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\$Sid"].ProfileImagePath.Raw
    if ($Key.cng) { "$profileFolder\AppData\Roaming\Microsoft\Crypto\Keys" } else { "$profileFolder\AppData\Roaming\Microsoft\Crypto\RSA\$Sid" }
}

function Get-LabKeyName {
    param($Key, [string]$Container)
    if ($Key.file -eq 'named') { return $Container }
    $digest = [Security.Cryptography.MD5]::Create().ComputeHash([Text.Encoding]::ASCII.GetBytes($Container.ToLowerInvariant() + [char]0))
    $machine = if ($Key.file -eq 'foreign') { '0d9e8c11-7777-4444-8888-000000000001' } else { [string]$TentacleLab.Registry['HKLM:\SOFTWARE\Microsoft\Cryptography'].MachineGuid }
    (-join @(0, 4, 8, 12 | ForEach-Object { '{0:x8}' -f [BitConverter]::ToUInt32($digest, $_) })) + "_$machine"
}
