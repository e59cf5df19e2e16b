# HKLM: and HKEY_USERS as a table from key to values (registry.py), and Get-ItemProperty, which reads there and else passes on to the
# engine's own. A key without values gives nothing (2.9).
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '', Justification = 'to stand in for them is the purpose')]
param()

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
    if ($null -ne $Value.account) { return Get-LabAccount $Value.account }
    if ($null -ne $Value.hex) {
        $digits = [string]$Value.hex
        return , [byte[]]@(for ($at = 0; $at -lt $digits.Length; $at += 2) { [Convert]::ToByte($digits.Substring($at, 2), 16) })
    }
    $Value
}

# A key's values and the names below it: registry.py has put them there as JSON, which is read when it is asked for.
function Get-LabKey {
    [OutputType([hashtable])]
    param([string]$Path)
    $own = $TentacleLab.Registry[$Path]
    if ($own -isnot [string]) { return $own }
    $given = ConvertFrom-Json -InputObject $own
    $values = [ordered]@{}
    foreach ($value in $given.values.PSObject.Properties) { $values[$value.Name] = ConvertTo-LabRegistryValue $value.Value }
    $TentacleLab.Registry[$Path] = @{ Values = $values; Keys = [string[]]@($given.keys) }
    $TentacleLab.Registry[$Path]
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
    foreach ($word in @($TentacleLab.Machine.denied)) {
        if ($word -and $LabRegistryWords.ContainsKey($word) -and $Path -match $LabRegistryWords[$word]) {
            $refusal = New-Object Security.SecurityException (Get-LabText 'Denied')
            return New-LabError -Id 'System.Security.SecurityException' -Class "$LabCommands.$Class" -Category PermissionDenied -Exception $refusal -Target $Path
        }
    }
    if (-not $TentacleLab.Registry.ContainsKey($Path)) {
        $missing = [Management.Automation.ItemNotFoundException]::new("Cannot find path '$Path' because it does not exist.")
        return New-LabError -Id 'PathNotFound' -Class "$LabCommands.$Class" -Category ObjectNotFound -Exception $missing -Target $Path
    }
}

function Get-ItemProperty {
    [CmdletBinding()]
    param([string]$LiteralPath, [string]$Name)
    Add-LabCall 'Get-ItemProperty' $PSBoundParameters
    if (-not (Test-LabRegistryPath $LiteralPath)) { return Microsoft.PowerShell.Management\Get-ItemProperty @PSBoundParameters }
    if (Wait-LabProvider -What 'registry' -Seconds 0) { return }
    $failure = Get-LabRegistryFailure -Path $LiteralPath -Class 'GetItemPropertyCommand'
    if ($failure) { $PSCmdlet.WriteError($failure); return }
    $own = (Get-LabKey $LiteralPath).Values
    if (-not $own.Count) { return }
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
    $own = (Get-LabKey $Path).Values
    $key = [pscustomobject]@{ Name = $Path; PSChildName = ($Path -split '\\')[-1]; Property = [string[]]@($own.Keys); Values = $own }
    Add-Member -InputObject $key -MemberType ScriptMethod -Name GetValue -Value {
        param($Name, $Default, $Options)
        if (-not $this.Values.Contains($Name)) { return $Default }
        $value = $this.Values[$Name]
        if ($value -isnot [LabExpandable]) { return $value }
        if ([string]$Options -eq 'DoNotExpandEnvironmentNames') { $value.Raw } else { $value.Expanded() }
    } -PassThru
}
