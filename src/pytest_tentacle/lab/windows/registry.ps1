# HKLM: and HKEY_USERS as a table from key to values, and Get-ItemProperty, which reads there and else passes on to the
# engine's own.
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '', Justification = 'to stand in for them is the purpose')]
param()

# Keys that every Windows has, those of the machine's services, and whatever machine.json's `registry` adds.
function Initialize-LabRegistry {
    $machine = $TentacleLab.Machine
    $TentacleLab.Registry['HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters'] = @{ Hostname = [string]$machine.hostname; Domain = 'lab.example' }
    $TentacleLab.Registry['HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full'] = @{ Release = [int]528049; Version = '4.8.03761' }
    $TentacleLab.Registry['HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'] = @{
        ProductName = 'Windows Server 2019 Standard'; CurrentBuild = '17763'; CurrentMajorVersionNumber = [int]10; CurrentMinorVersionNumber = [int]0; UBR = [int]720
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
    Initialize-LabProxy
    Initialize-LabFirewall
    if (-not $machine.registry) { return }
    foreach ($key in $machine.registry.PSObject.Properties) {
        if ($null -eq $key.Value) { $TentacleLab.Registry.Remove($key.Name); continue }
        $values = @{}
        foreach ($value in $key.Value.PSObject.Properties) { $values[$value.Name] = ConvertTo-LabRegistryValue $value.Value }
        $TentacleLab.Registry[$key.Name] = $values
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
    $sids = @('S-1-5-18', 'S-1-5-19', 'S-1-5-20') + @(New-UserAccountShape | ForEach-Object { $_.SID })
    foreach ($sid in $sids) {
        $hive = "Registry::HKEY_USERS\$sid"
        $TentacleLab.Registry["$hive\Environment"] = @{ TEMP = '%USERPROFILE%\AppData\Local\Temp' }
        $TentacleLab.Registry["$hive\Software\Microsoft\Windows\CurrentVersion\Internet Settings"] = @{ ProxyEnable = [int]0 }
        $TentacleLab.Registry["$hive\Software\Microsoft\Windows\CurrentVersion\Internet Settings\Connections"] = @{ DefaultConnectionSettings = $untouched }
        $TentacleLab.Registry["$hive\Software\Microsoft\Windows\CurrentVersion\WinTrust\Trust Providers\Software Publishing"] = @{ State = [int]0x23c00 }
    }
    $TentacleLab.Registry['HKLM:\Software\Microsoft\Windows\CurrentVersion\Internet Settings\Connections'] = @{
        WinHttpSettings = [byte[]](@(0x18, 0, 0, 0, 0, 0, 0, 0, 1) + @(0) * 11)
    }
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
    proxies = '\\Internet Settings'; tls = '\\SCHANNEL'; hives = 'HKEY_USERS'
}

# Refused keys throw as .NET does, missing ones as PowerShell's provider.
function Get-LabRegistryFailure {
    param([string]$Path)
    foreach ($word in $LabRegistryWords.Keys) {
        if ($Path -match $LabRegistryWords[$word] -and (Test-LabDenied $word)) {
            return New-LabError -Id 'System.Security.SecurityException' -Category PermissionDenied -Exception (New-Object Security.SecurityException (Get-LabText 'Denied'))
        }
    }
    if (-not $TentacleLab.Registry.ContainsKey($Path) -and -not @(Get-LabSubkey $Path).Count) {
        $missing = New-Object Management.Automation.ItemNotFoundException "Cannot find path '$Path' because it does not exist."
        return New-LabError -Id 'PathNotFound' -Category ObjectNotFound -Exception $missing
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
    $failure = Get-LabRegistryFailure $LiteralPath
    if ($failure) { $PSCmdlet.WriteError($failure); return }
    $values = @{}
    # A key may be there for its sub-keys alone.
    $own = $TentacleLab.Registry[$LiteralPath]
    if ($own) { foreach ($key in @($own.Keys)) { $values[$key] = $own[$key] } }
    [pscustomobject]$values
}
