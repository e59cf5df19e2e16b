# Every place where a proxy can be set that concerns a service of ours, told apart. Passwords stay on the machine.

$InternetSettings = 'Software\Microsoft\Windows\CurrentVersion\Internet Settings'

function Get-ProxySection {
    foreach ($account in @(Get-ServiceAccount)) {
        if ($account.Refusal) { throw $account.Refusal }
        if (-not $account.Loaded) { continue }
        Get-WinInetProxy -Layer 'wininet' -Account $account.Name -Key "$($account.Hive)\$InternetSettings"
        Get-VariableProxy -Layer 'environment' -Account $account.Name -Variables (Get-VariableTable (Get-RegistryValue "$($account.Hive)\Environment"))
    }
    $policy = Get-RegistryValue "HKLM:\SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings"
    # 0: the machine's settings hold for all accounts.
    if ($policy -and $null -ne $policy.ProxySettingsPerUser -and [int64]$policy.ProxySettingsPerUser -eq 0) {
        Get-WinInetProxy -Layer 'policy' -Account $null -Key "HKLM:\$InternetSettings"
    }
    Get-WinHttpProxy
    $machine = Get-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
    Get-VariableProxy -Layer 'environment' -Account $null -Variables (Get-VariableTable $machine)
    foreach ($service in @(Get-ProductService)) {
        $values = Get-RegistryValue "HKLM:\SYSTEM\CurrentControlSet\Services\$($service.name)"
        $variables = @{}
        foreach ($line in @(if ($values) { $values.Environment })) {
            $pair = ([string]$line) -split '=', 2
            if ($pair.Count -eq 2) { $variables[$pair[0]] = [string]$pair[1] }
        }
        Get-VariableProxy -Layer 'service-environment' -Account $service.account -Variables $variables
    }
}

# A user in front of the host may stay, the password behind it may not: all up to the last @, whatever it is made of.
function Hide-Password {
    param([string]$Text)
    if (-not $Text) { return $null }
    [regex]::Replace($Text, '([^/\s;=:@]*):(?!//)[^\s;]*@', '$1:***@')
}

function ConvertTo-ProxyRecord {
    param([string]$Layer, $Account, [bool]$Enabled, [string]$Address, [string]$Bypass, [string]$Pac)
    @{
        layer   = $Layer
        account = if ($Account) { [string]$Account } else { $null }
        enabled = $Enabled
        address = Hide-Password $Address
        bypass  = if ($Bypass) { $Bypass } else { $null }
        pac     = Hide-Password $Pac
    }
}

# The blob is what Windows goes by; the plain values beside it are for others to read.
function Get-WinInetProxy {
    param([string]$Layer, $Account, [string]$Key)
    $connections = Get-RegistryValue "$Key\Connections"
    $blob = if ($connections) { ConvertFrom-ProxyBlob $connections.DefaultConnectionSettings } else { $null }
    if ($blob -and $blob.Version -ge 60) {
        $enabled = ($blob.Flags -band 6) -ne 0
        ConvertTo-ProxyRecord -Layer $Layer -Account $Account -Enabled $enabled -Address $blob.Text[0] -Bypass $blob.Text[1] -Pac $blob.Text[2]
        return
    }
    $values = Get-RegistryValue $Key
    if (-not $values) { return }
    $enabled = ($null -ne $values.ProxyEnable -and [int64]$values.ProxyEnable -ne 0) -or [bool]$values.AutoConfigURL
    ConvertTo-ProxyRecord -Layer $Layer -Account $Account -Enabled $enabled -Address $values.ProxyServer -Bypass $values.ProxyOverride -Pac $values.AutoConfigURL
}

function Get-WinHttpProxy {
    $values = Get-RegistryValue "HKLM:\$InternetSettings\Connections"
    $blob = if ($values) { ConvertFrom-ProxyBlob $values.WinHttpSettings } else { $null }
    if (-not $blob) { return }
    ConvertTo-ProxyRecord -Layer 'winhttp' -Account $null -Enabled (($blob.Flags -band 2) -ne 0) -Address $blob.Text[0] -Bypass $blob.Text[1] -Pac ''
}

# Numbers of four bytes: version, counter, flags; then texts, each behind its length.
function ConvertFrom-ProxyBlob {
    param($Blob)
    $bytes = $Blob -as [byte[]]
    if ($null -eq $bytes -or $bytes.Length -lt 16) { return $null }
    $at = 12
    $texts = @(foreach ($number in 1..3) {
        $length = if ($at + 4 -le $bytes.Length) { [BitConverter]::ToInt32($bytes, $at) } else { 0 }
        $at += 4
        if ($length -lt 0 -or $at + $length -gt $bytes.Length) { $length = 0 }
        if ($length) { [Text.Encoding]::ASCII.GetString($bytes, $at, $length) } else { '' }
        $at += $length
    })
    @{ Version = [BitConverter]::ToInt32($bytes, 0); Flags = [BitConverter]::ToInt32($bytes, 8); Text = $texts }
}

function Get-VariableTable {
    param($Values)
    $table = @{}
    if ($Values) {
        foreach ($property in $Values.PSObject.Properties) {
            # Not PowerShell's own, which it adds to each key.
            if ($property.Name -notmatch '^PS(Path|ParentPath|ChildName|Provider|Drive)$') { $table[$property.Name] = [string]$property.Value }
        }
    }
    $table
}

# One record for each variable that names a proxy. Names are those that .NET and others know; Windows ignores their case.
function Get-VariableProxy {
    param([string]$Layer, $Account, [hashtable]$Variables)
    foreach ($name in 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY') {
        if (-not $Variables[$name]) { continue }
        ConvertTo-ProxyRecord -Layer $Layer -Account $Account -Enabled $true -Address $Variables[$name] -Bypass $Variables['NO_PROXY'] -Pac ''
    }
}
