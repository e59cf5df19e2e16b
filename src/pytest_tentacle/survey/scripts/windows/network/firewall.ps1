# Windows Firewall for the ports that matter, from the registry: two reads instead of minutes, and in no language.

$FirewallKey = 'HKLM:\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy'
$FirewallPolicyKey = 'HKLM:\SOFTWARE\Policies\Microsoft\WindowsFirewall'

$FirewallMdmKey = "$FirewallKey\Mdm"

# Private networks are Standard in the local store, Private in the policy's. Group policy's old template (before Vista) has
# StandardProfile instead, which holds for private and public networks where the newer keys are not there. Category: of Get-NetConnectionProfile.
$FirewallProfiles = @(
    @{ Name = 'Domain'; Local = 'DomainProfile'; Policy = 'DomainProfile'; Category = 2 }
    @{ Name = 'Private'; Local = 'StandardProfile'; Policy = 'PrivateProfile'; Category = 1 }
    @{ Name = 'Public'; Local = 'PublicProfile'; Policy = 'PublicProfile'; Category = 0 }
)

# Fields of a rule that make it depend on what is not judged here.
$FirewallConditions = 'Svc', 'LUAuth', 'RUAuth', 'RMauth', 'LUOwn', 'IF', 'IFType', 'Security', 'Security2', 'Security2_9', 'AppPkgId', 'LA4', 'LA6', 'RPort', 'RPort2_10'

function Get-FirewallSection {
    $ports = @(Get-PortOfInterest)
    $programs = @(Get-InterestingProgram)
    $categories = Get-NetworkCategory
    $old = @{ Domain = Get-RegistryValue "$FirewallPolicyKey\DomainProfile"; Other = Get-RegistryValue "$FirewallPolicyKey\StandardProfile" }
    $profiles = @()
    $rules = @()
    foreach ($kind in $FirewallProfiles) {
        $local = Get-RegistryValue "$FirewallKey\$($kind.Local)"
        $policy = Get-RegistryValue "$FirewallPolicyKey\$($kind.Policy)"
        $device = Get-RegistryValue "$FirewallMdmKey\$($kind.Policy)"
        $from = @($policy, $(if ($kind.Name -ne 'Domain' -and -not $policy) { $old.Other }), $device) | Where-Object { $_ }
        $profiles += ConvertTo-FirewallProfile -Kind $kind -Local $local -Policy $from -Categories $categories
        # "Block all incoming connections" wins over every rule that allows.
        if ((Get-FirewallValue -From (@($from) + $local) -Name 'DoNotAllowExceptions' -Default 0) -ne 0) {
            $byPolicy = @($from | Where-Object { $null -ne $_.DoNotAllowExceptions }).Count
            $rules += @{ name = 'DoNotAllowExceptions'; action = 'block'; ports = @(); profiles = @($kind.Name); remote = @(); source = if ($byPolicy) { 'policy' } else { 'local' } }
        }
    }
    foreach ($store in @{ Key = $FirewallKey; Source = 'local' }, @{ Key = $FirewallPolicyKey; Source = 'policy' }, @{ Key = $FirewallMdmKey; Source = 'policy' }) {
        $values = Get-RegistryTable "$($store.Key)\FirewallRules"
        foreach ($name in $values.Keys) {
            $text = [string]$values[$name]
            # Hundreds of rules: only those that may concern a listener are taken apart.
            if (-not $text.Contains('Dir=In|') -or -not $text.Contains('Active=TRUE|')) { continue }
            $rule = ConvertFrom-FirewallRule -Text $text -Name ([string]$name)
            if (Test-FirewallRule -Rule $rule -Ports $ports -Programs $programs) { $rules += ConvertTo-FirewallRecord $rule $store.Source }
        }
    }
    $rules += @(Get-OldFirewallRule -Ports $ports -Programs $programs)
    $section = @{ engine = 'windows'; running = Test-FirewallRunning; profiles = $profiles; rules = $rules }
    $secured = @(Get-SecurityRule)
    if ($secured.Count) { $section['secured'] = $secured }
    $section
}

# Rules for connection security that take nothing but what is secured by IPsec (Secure: in and out, SecureServer: in); those
# that only ask for it let everything in. Either end of such a rule may be the peer.
function Get-SecurityRule {
    foreach ($store in @{ Key = $FirewallKey; Source = 'local' }, @{ Key = $FirewallPolicyKey; Source = 'policy' }, @{ Key = $FirewallMdmKey; Source = 'policy' }) {
        $values = Get-RegistryTable "$($store.Key)\ConSecRules"
        foreach ($name in $values.Keys) {
            $text = [string]$values[$name]
            if (-not $text.Contains('Active=TRUE|') -or $text -notmatch '\|Action=Secure(Server)?\|') { continue }
            $rule = ConvertFrom-FirewallRule -Text $text -Name ([string]$name)
            if (@('6', '256') -notcontains $rule.Protocol) { continue }
            $record = ConvertTo-FirewallRecord $rule $store.Source
            $record['action'] = 'block'
            $record
        }
    }
}

# Exceptions of the old template: `10933:TCP:*:Enabled:name` for a port, `path:*:Enabled:name` for a program.
function Get-OldFirewallRule {
    param([int[]]$Ports, [string[]]$Programs)
    foreach ($kind in @{ Key = 'DomainProfile'; Profiles = @('Domain') }, @{ Key = 'StandardProfile'; Profiles = @('Private', 'Public') }) {
        foreach ($entry in @((Get-RegistryTable "$FirewallPolicyKey\$($kind.Key)\GloballyOpenPorts\List").Values)) {
            if ([string]$entry -match '^(\d+):TCP:([^:]*):Enabled:(.*)$' -and $Ports -contains [int]$Matches[1]) {
                @{ name = [string]$Matches[3]; action = 'allow'; ports = @([string]$Matches[1]); profiles = $kind.Profiles; remote = @(Get-OldScope $Matches[2]); program = $null; source = 'policy'; conditional = $false }
            }
        }
        foreach ($entry in @((Get-RegistryTable "$FirewallPolicyKey\$($kind.Key)\AuthorizedApplications\List").Values)) {
            if ([string]$entry -match '^(.+):([^:]*):Enabled:(.*)$') {
                $name, $scope, $program = [string]$Matches[3], [string]$Matches[2], [Environment]::ExpandEnvironmentVariables([string]$Matches[1])
                if ($Programs -notcontains $program) { continue }
                @{ name = $name; action = 'allow'; ports = @(); profiles = $kind.Profiles; remote = @(Get-OldScope $scope); program = $program; source = 'policy'; conditional = $false }
            }
        }
    }
}

function Get-OldScope {
    param([string]$Scope)
    if ($Scope -and $Scope -ne '*') { $Scope -split ',' }
}

function Test-FirewallRunning {
    try { [int](Get-Service -Name 'MpsSvc' -ErrorAction Stop).Status -eq 4 } catch { $null }
}

# The first of the keys that has the value decides: the policy's before the machine's own.
function Get-FirewallValue {
    param([object[]]$From, [string]$Name, [int64]$Default)
    foreach ($values in $From) { if ($values -and $null -ne $values.$Name) { return [int64]$values.$Name } }
    $Default
}

function ConvertTo-FirewallProfile {
    param([hashtable]$Kind, $Local, [object[]]$Policy, $Categories)
    $all = @($Policy) + $Local
    @{
        name        = $Kind.Name
        enabled     = (Get-FirewallValue -From $all -Name 'EnableFirewall' -Default 1) -ne 0
        inbound     = if ((Get-FirewallValue -From $all -Name 'DefaultInboundAction' -Default 1) -eq 0) { 'allow' } else { 'block' }
        local_rules = (Get-FirewallValue -From $Policy -Name 'AllowLocalPolicyMerge' -Default 1) -ne 0
        active      = if ($null -eq $Categories) { $null } else { $Categories -contains $Kind.Category }
    }
}

# Of the networks that are connected now, or $null where they cannot be seen.
function Get-NetworkCategory {
    try {
        # Several networks are several profiles at once, no network is silence.
        , @(Invoke-Aside -What 'Get-NetConnectionProfile' -Seconds 4 -Call { foreach ($row in @(Get-NetConnectionProfile -ErrorAction Stop)) { [int]$row.NetworkCategory } })
    } catch {
        $null
    }
}

# Rules for all ports of one program matter only for what listens, or should.
function Get-InterestingProgram {
    foreach ($service in @($Survey.Cache['services'] | Where-Object { $_ -and $_.executable })) { $service.executable }
    $ports = @(Get-PortOfInterest)
    $processes = try { Get-ProcessTable } catch { @{} }
    foreach ($socket in @(try { Get-ListeningSocket } catch { $null })) {
        if (-not $socket -or $ports -notcontains $socket.Port) { continue }
        $owner = $processes[[string]$socket.ProcessId]
        if ($owner -and $owner.Executable) { $owner.Executable }
    }
}

# `v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=10933|...|`: a field may stand there more than once.
function ConvertFrom-FirewallRule {
    param([string]$Text, [string]$Name)
    $fields = @{}
    foreach ($part in $Text.Split('|')) {
        $at = $part.IndexOf('=')
        if ($at -lt 1) { continue }
        $key = $part.Substring(0, $at)
        $fields[$key] = @($fields[$key] | Where-Object { $null -ne $_ }) + $part.Substring($at + 1)
    }
    $program = if ($fields['App']) { [Environment]::ExpandEnvironmentVariables([string]@($fields['App'])[0]) } else { $null }
    @{
        Name        = if ($fields['Name'] -and -not ([string]$fields['Name'][0]).StartsWith('@')) { [string]$fields['Name'][0] } else { $Name }
        Action      = [string]@($fields['Action'])[0]
        Protocol    = if ($fields['Protocol']) { [string]$fields['Protocol'][0] } else { '256' }
        Ports       = @(@($fields['LPort']) + @($fields['LPort2_10']) | Where-Object { $_ })
        Profiles    = @($fields['Profile'] | Where-Object { $_ })
        Remote      = @('RA4', 'RA6', 'RA42', 'RA62', 'EP1_4', 'EP1_6', 'EP2_4', 'EP2_6' | ForEach-Object { $fields[$_] } | Where-Object { $_ })
        Program     = $program
        Conditions  = @(
            foreach ($key in $FirewallConditions) { foreach ($value in @($fields[$key] | Where-Object { $null -ne $_ })) { "$key=$value" } }
            if (@($fields['Action'])[0] -eq 'ByPass') { 'Action=ByPass' }
        )
    }
}

# TCP (6) or any protocol (256), and a port of interest; any port only for no program, or one of ours. A port of interest that
# stands there as the remote one was meant for the local one.
function Test-FirewallRule {
    param([hashtable]$Rule, [int[]]$Ports, [string[]]$Programs)
    if (@('6', '256') -notcontains $Rule.Protocol) { return $false }
    if (-not $Rule.Ports.Count) {
        if (@($Ports | Where-Object { $Rule.Conditions -contains "RPort=$_" }).Count) { return $true }
        if ($Rule.Program) { return $Programs -contains $Rule.Program }
        return -not $Rule.Conditions.Count
    }
    foreach ($text in $Rule.Ports) {
        foreach ($port in $Ports) {
            if ($text -eq [string]$port) { return $true }
            if ($text -match '^(\d+)-(\d+)$' -and $port -ge [int]$Matches[1] -and $port -le [int]$Matches[2]) { return $true }
        }
    }
    $false
}

function ConvertTo-FirewallRecord {
    param([hashtable]$Rule, [string]$Source)
    $record = @{
        name        = $Rule.Name
        action      = if ($Rule.Action -eq 'Block') { 'block' } else { 'allow' }
        ports       = @($Rule.Ports)
        profiles    = @($Rule.Profiles)
        remote      = @($Rule.Remote)
        program     = $Rule.Program
        source      = $Source
        conditional = $Rule.Conditions.Count -gt 0
    }
    if ($Rule.Conditions.Count) { $record['conditions'] = @($Rule.Conditions) }
    $record
}
