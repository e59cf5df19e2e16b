# HKLM: and HKEY_USERS as a table from key to values, and Get-ItemProperty, which reads there and else passes on to the
# engine's own. A key without values gives nothing (2.9).
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '', Justification = 'to stand in for them is the purpose')]
param()

# Keys that every Windows has, those of the machine's services, and whatever machine.json's `registry` adds.
function Initialize-LabRegistry {
    $machine = $TentacleLab.Machine
    $TentacleLab.Registry['HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters'] = @{ Hostname = [string]$machine.hostname; Domain = 'lab.example' }
    $TentacleLab.Registry['HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full'] = @{ Release = [int]528049; Version = '4.8.03761' }
    $TentacleLab.Registry['HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'] = @{
        ProductName = 'Windows Server 2019 Standard'; CurrentBuild = [string](Get-LabValue 'build' '17763'); CurrentVersion = '6.3'; UBR = [int]720
        InstallationType = $(if (Test-LabRole 'core') { 'Server Core' } else { 'Server' })
    }
    if ((Get-LabValue 'build' '17763') -ne '9600') {
        $TentacleLab.Registry['HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'] += @{ CurrentMajorVersionNumber = [int]10; CurrentMinorVersionNumber = [int]0 }
    }
    $TentacleLab.Registry['HKLM:\SOFTWARE\Microsoft\Cryptography'] = @{ MachineGuid = '6f1d3b8c-0a55-4c6e-9c60-1f6e0f4a7d21' }
    $TentacleLab.Registry['HKLM:\SYSTEM\CurrentControlSet\Control\ProductOptions'] = @{ ProductType = $(if (Test-LabRole 'domain-controller') { 'LanmanNT' } else { 'ServerNT' }) }
    $TentacleLab.Registry['HKLM:\SOFTWARE\Microsoft\SystemCertificates\AuthRoot\AutoUpdate'] = @{
        LastSyncTime = [BitConverter]::GetBytes([datetime]::UtcNow.Date.AddDays(-2).ToFileTimeUtc()); EncodedCtl = [byte[]](1, 2)
    }
    $TentacleLab.Registry['HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'] = @{ OS = 'Windows_NT' }
    $TentacleLab.Registry['HKLM:\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy'] = @{ Enabled = [int]0 }
    $starts = @{ auto = 2; manual = 3; disabled = 4 }
    foreach ($service in @($machine.services | Where-Object { $_ })) {
        $values = @{ ImagePath = [string]$service.command; Start = [int]$starts[[string]$service.start_mode]; ObjectName = Get-LabAccount ([string]$service.account) }
        if ($service.environment) {
            $values['Environment'] = [string[]]@($service.environment.PSObject.Properties | ForEach-Object { "$($_.Name)=$($_.Value)" })
        }
        $TentacleLab.Registry["HKLM:\SYSTEM\CurrentControlSet\Services\$($service.name)"] = $values
    }
    Initialize-LabCluster
    Initialize-LabProxy
    Initialize-LabFirewall
    Initialize-LabWebServer
    if (-not $machine.registry) { return }
    foreach ($key in $machine.registry.PSObject.Properties) {
        if ($null -eq $key.Value) { $TentacleLab.Registry.Remove($key.Name); continue }
        $values = @{}
        foreach ($value in $key.Value.PSObject.Properties) { $values[$value.Name] = ConvertTo-LabRegistryValue $value.Value }
        $TentacleLab.Registry[$key.Name] = $values
    }
}

# The cluster's hive, on a node whose cluster service runs (8d).
function Initialize-LabCluster {
    $number = 0
    foreach ($resource in @(Get-LabValue 'cluster' @() | Where-Object { $_ })) {
        $number++
        $key = "HKLM:\Cluster\Resources\$('{0:00000000}' -f $number)-9a3e-4f0b-8a51-0d6c1e5f2b77"
        $type = if ($resource.service) { 'Generic Service' } else { 'IP Address' }
        $TentacleLab.Registry[$key] = @{ Name = [string]$resource.name; Type = $type; PersistentState = [int]1 }
        $TentacleLab.Registry["$key\Parameters"] = if ($resource.service) { @{ ServiceName = [string]$resource.service; StartupParameters = '' } } else { @{ Address = '192.0.2.77' } }
    }
}

# Types as the provider gives them: a DWORD is an Int32 (0xffffffff is -1), several texts string[], `{"hex": ...}` byte[].
function ConvertTo-LabRegistryValue {
    [OutputType([object])]
    param($Value)
    if ($Value -is [long] -or $Value -is [int]) {
        if ($Value -gt 4294967295) { return $Value }
        return [BitConverter]::ToInt32([BitConverter]::GetBytes([long]$Value), 0)
    }
    if ($Value -is [array]) { return , [string[]]$Value }
    # REG_EXPAND_SZ: `{"expand": "%USERPROFILE%\\x"}`; as it stands, and expanded when it is read (2.9).
    if ($null -ne $Value.expand) { return New-Object LabExpandable ([string]$Value.expand) }
    if ($null -ne $Value.hex) {
        $digits = [string]$Value.hex
        return , [byte[]]@(for ($at = 0; $at -lt $digits.Length; $at += 2) { [Convert]::ToByte($digits.Substring($at, 2), 16) })
    }
    $Value
}

# Hives of Windows' own accounts are always loaded, those of others while a service runs under them (7). Nobody set a proxy:
# the blobs are the untouched ones.
function Initialize-LabProxy {
    $untouched = [byte[]](@(0x46, 0, 0, 0, 2, 0, 0, 0, 1) + @(0) * 47)
    $sids = @('S-1-5-18', 'S-1-5-19', 'S-1-5-20') + @((Get-LabAccountTable).Values | Where-Object { $_ }) +
    @($TentacleLab.Machine.services | Where-Object { $_ -and $_.account -match '(?i)^NT SERVICE' } | ForEach-Object { Get-LabAccountSid $_.account })
    $table = Get-LabAccountTable
    $profiles = @{ 'S-1-5-18' = 'C:\Windows\system32\config\systemprofile'; 'S-1-5-19' = 'C:\Windows\ServiceProfiles\LocalService'; 'S-1-5-20' = 'C:\Windows\ServiceProfiles\NetworkService' }
    foreach ($name in $table.Keys) { if ($table[$name]) { $profiles[[string]$table[$name]] = 'C:\Users\' + @($name -split '\\')[-1] } }
    foreach ($service in @($TentacleLab.Machine.services | Where-Object { $_ -and $_.account -match '(?i)^NT SERVICE' })) { $profiles[(Get-LabAccountSid $service.account)] = 'C:\Users\' + @($service.account -split '\\')[-1] }
    foreach ($sid in $profiles.Keys) {
        $TentacleLab.Registry["HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\$sid"] = @{ ProfileImagePath = New-Object LabExpandable $profiles[$sid]; Flags = [int]0 }
    }
    foreach ($sid in $sids) {
        $hive = "Registry::HKEY_USERS\$sid"
        $TentacleLab.Registry["$hive\Environment"] = @{ TEMP = New-Object LabExpandable '%USERPROFILE%\AppData\Local\Temp' }
        $TentacleLab.Registry["$hive\Software\Microsoft\Windows\CurrentVersion\Internet Settings"] = @{ ProxyEnable = [int]0 }
        $TentacleLab.Registry["$hive\Software\Microsoft\Windows\CurrentVersion\Internet Settings\Connections"] = @{ DefaultConnectionSettings = $untouched }
        $TentacleLab.Registry["$hive\Software\Microsoft\Windows\CurrentVersion\WinTrust\Trust Providers\Software Publishing"] = @{ State = [int]0x23c00 }
    }
    $TentacleLab.Registry['HKLM:\Software\Microsoft\Windows\CurrentVersion\Internet Settings\Connections'] = @{
        WinHttpSettings = [byte[]](@(0x18, 0, 0, 0, 0, 0, 0, 0, 1) + @(0) * 11)
    }
}

# What is set up at http.sys (8f): reservations are values by URL, bindings keys by address and port; those of a host's name are
# keys of any name with the host in a value, or, as `named_keys` has it, keys by host and port. machine.json's `bindings` are
# `{"endpoint", "thumbprint", "store", "without_key", "lost"}`, its `url_acl` URL to SID.
function Initialize-LabWebServer {
    $base = 'HKLM:\SYSTEM\CurrentControlSet\Services\HTTP\Parameters'
    $machine = $TentacleLab.Machine
    $reserved = @{ 'http://+:80/Temporary_Listen_Addresses/' = 'S-1-1-0'; 'http://+:5985/wsman/' = 'S-1-5-20' }
    if ($machine.url_acl) { foreach ($each in $machine.url_acl.PSObject.Properties) { $reserved[$each.Name] = [string]$each.Value } }
    $values = @{}
    foreach ($url in $reserved.Keys) { $values[$url] = ConvertTo-LabDescriptor $reserved[$url] }
    $TentacleLab.Registry["$base\UrlAclInfo"] = $values
    foreach ($binding in @($machine.bindings | Where-Object { $_ })) {
        $hash = [byte[]]@(for ($at = 0; $at -lt 40; $at += 2) { [Convert]::ToByte(([string]$binding.thumbprint).Substring($at, 2), 16) })
        $own = @{ SslCertHash = $hash; AppId = [byte[]](1..16); DefaultFlags = [int]0 }
        if ($binding.store) { $own['SslCertStoreName'] = [string]$binding.store }
        $key = if ([string]$binding.endpoint -match '^([\d.]+|\[.*\]):') { "SslBindingInfo\$($binding.endpoint)" }
        elseif ($machine.named_keys) { "SslSniBindingInfo\$($binding.endpoint)" } else { "SslSniBindingInfo\{$([guid]::NewGuid())}" }
        if ($key -like 'SslSniBindingInfo\{*') { $own['HostnamePort'] = [string]$binding.endpoint }
        $TentacleLab.Registry["$base\$key"] = $own
        if ($binding.lost) { continue }
        $blob = [byte[]](@(3, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 0) + $hash + $(if (-not $binding.without_key) { @(2, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4) }))
        $TentacleLab.Registry["HKLM:\SOFTWARE\Microsoft\SystemCertificates\$(if ($binding.store) { $binding.store } else { 'MY' })\Certificates\$(([string]$binding.thumbprint).ToUpperInvariant())"] = @{ Blob = $blob }
    }
}

# A self-relative descriptor (MS-DTYP 2.4.6) with a list that lets one account register, as `D:(A;;GX;;;<sid>)` has it.
function ConvertTo-LabDescriptor {
    [OutputType([byte[]])]
    param([string]$Sid)
    $parts = @($Sid -split '-' | Select-Object -Skip 2)
    $bytes = @(1, [byte]($parts.Count - 1), 0, 0, 0, 0, 0, [byte]$parts[0]) + @($parts | Select-Object -Skip 1 | ForEach-Object { [BitConverter]::GetBytes([uint32]$_) })
    $entry = @(0, 0) + [BitConverter]::GetBytes([uint16](8 + $bytes.Count)) + @(0, 0, 0, 0x20) + $bytes
    , [byte[]](@(1, 0, 4, 0x80) + @(0) * 12 + @(20, 0, 0, 0, 2, 0) + [BitConverter]::GetBytes([uint16](8 + $entry.Count)) + @(1, 0, 0, 0) + $entry)
}

# All profiles on, inbound blocked, and a rule for each port that the products' set-up made one for (3.3): machine.json's
# `firewall_ports`, or else those that the machine listens on. `firewall_rules` adds further ones, by name.
function Initialize-LabFirewall {
    $base = 'HKLM:\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy'
    foreach ($name in 'DomainProfile', 'StandardProfile', 'PublicProfile') {
        $TentacleLab.Registry["$base\$name"] = @{ EnableFirewall = [int]1; DefaultInboundAction = [int]1; DoNotAllowExceptions = [int]0 }
    }
    $rules = @{
        'DeliveryOptimization-TCP-In' = 'v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=7680|App=%SystemRoot%\system32\svchost.exe|Svc=dosvc|Name=@%systemroot%\system32\dosvc.dll,-102|'
        'WINRM-HTTP-In-TCP' = 'v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|Profile=Private|LPort=5985|App=System|Name=@FirewallAPI.dll,-30253|'
    }
    $machine = $TentacleLab.Machine
    $open = if ($null -ne $machine.firewall_ports) { $machine.firewall_ports } else { $machine.sockets | Where-Object { $_ -and $_.state -eq 'listen' } | ForEach-Object { $_.port } }
    foreach ($port in @($open | Sort-Object -Unique)) {
        $rules["{00000000-0000-0000-0000-$('{0:000000000000}' -f $port)}"] = "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=$port|Name=Octopus Tentacle: $port|"
    }
    if ($machine.firewall_rules) { foreach ($rule in $machine.firewall_rules.PSObject.Properties) { $rules[$rule.Name] = [string]$rule.Value } }
    $TentacleLab.Registry["$base\FirewallRules"] = $rules
}

function Test-LabRegistryPath {
    param([string]$Path)
    $Path -match '^(?i)(HKLM:|Registry::)'
}

# Which keys a word of `denied` closes.
$LabRegistryWords = @{
    registry = '.'; services = '\\Services\\(?!Tcpip\\|SharedAccess\\)'; firewall = '\\FirewallPolicy|\\Policies\\Microsoft\\WindowsFirewall'
    cluster = '^HKLM:\\Cluster'; proxies = '\\Internet Settings'; tls = '\\SCHANNEL'; hives = 'HKEY_USERS'
}

# Refused keys throw as .NET does, missing ones as PowerShell's provider.
function Get-LabRegistryFailure {
    param([string]$Path, [string]$Class)
    foreach ($word in $LabRegistryWords.Keys) {
        if ($Path -match $LabRegistryWords[$word] -and (Test-LabDenied $word)) {
            $refusal = New-Object Security.SecurityException (Get-LabText 'Denied')
            return New-LabError -Id 'System.Security.SecurityException' -Class "$LabCommands.$Class" -Category PermissionDenied -Exception $refusal -Target $Path
        }
    }
    if (-not $TentacleLab.Registry.ContainsKey($Path) -and -not @(Get-LabSubkey $Path).Count) {
        $missing = New-Object Management.Automation.ItemNotFoundException "Cannot find path '$Path' because it does not exist."
        return New-LabError -Id 'PathNotFound' -Class "$LabCommands.$Class" -Category ObjectNotFound -Exception $missing -Target $Path
    }
}

function Get-LabSubkey {
    param([string]$Path)
    $names = foreach ($key in $TentacleLab.Registry.Keys) {
        if ($key.StartsWith("$Path\", [StringComparison]::OrdinalIgnoreCase)) { ($key.Substring($Path.Length + 1) -split '\\')[0] }
    }
    @($names | Sort-Object -Unique)
}

function Get-ItemProperty {
    [CmdletBinding()]
    param([string]$LiteralPath, [string]$Name)
    Add-LabCall 'Get-ItemProperty' $PSBoundParameters
    if (-not (Test-LabRegistryPath $LiteralPath)) { return Microsoft.PowerShell.Management\Get-ItemProperty @PSBoundParameters }
    if (Wait-LabProvider -What 'registry' -Seconds 0) { return }
    $failure = Get-LabRegistryFailure -Path $LiteralPath -Class 'GetItemPropertyCommand'
    if ($failure) { $PSCmdlet.WriteError($failure); return }
    $own = $TentacleLab.Registry[$LiteralPath]
    if (-not $own -or -not $own.Count) { return }
    $values = [ordered]@{}
    foreach ($key in @($own.Keys)) {
        $values[$key] = $own[$key]
        if ($own[$key] -is [LabExpandable]) { $values[$key] = $own[$key].Expanded() }
    }
    $leaf = ($LiteralPath -split '\\')[-1]
    $values['PSPath'] = "Microsoft.PowerShell.Core\Registry::$LiteralPath"
    $values['PSParentPath'] = $values.PSPath.Substring(0, $values.PSPath.Length - $leaf.Length - 1)
    $values['PSChildName'] = $leaf
    $values['PSProvider'] = 'Microsoft.PowerShell.Core\Registry'
    if ($LiteralPath -match '^(?i)HKLM:') { $values['PSDrive'] = 'HKLM' }
    [pscustomobject]$values
}

# A key as Get-Item gives it, for those who want a value as it stands.
function New-LabRegistryKey {
    param([string]$Path)
    $own = $TentacleLab.Registry[$Path]
    $key = [pscustomobject]@{ Name = $Path; PSChildName = ($Path -split '\\')[-1]; Property = [string[]]@(if ($own) { $own.Keys }); Values = $own }
    Add-Member -InputObject $key -MemberType ScriptMethod -Name GetValue -Value {
        param($Name, $Default, $Options)
        if (-not $this.Values -or -not $this.Values.ContainsKey($Name)) { return $Default }
        $value = $this.Values[$Name]
        if ($value -isnot [LabExpandable]) { return $value }
        if ([string]$Options -eq 'DoNotExpandEnvironmentNames') { $value.Raw } else { $value.Expanded() }
    } -PassThru
}
