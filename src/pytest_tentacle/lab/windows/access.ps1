# Access lists from machine.json's `acl`, and members of local groups from its `groups`.
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '', Justification = 'to stand in for them is the purpose')]
param()

# What drive C: of a fresh server gives a folder of its own (4.1): full control for System and Administrators.
$LabDefaultAccess = @(
    @{ sid = 'S-1-5-18'; mask = 0x1F01FF; inherited = $true }
    @{ sid = 'S-1-5-32-544'; mask = 0x1F01FF; inherited = $true }
    @{ sid = 'S-1-5-32-545'; mask = 0x1200A9; inherited = $true }
    @{ sid = 'S-1-3-0'; mask = 0x10000000; inherited = $true; inherit_only = $true }
)

# The nearest list at or above the path; from above, everything is inherited.
function Find-LabAccess {
    param([string]$Path)
    $lists = $TentacleLab.Machine.acl
    if ($TentacleLab.KeyAccess.ContainsKey($Path)) { return @{ List = ConvertFrom-Json -InputObject $TentacleLab.KeyAccess[$Path]; Own = $true } }
    $at = $Path.TrimEnd('\')
    while ($lists -and $at) {
        $found = $lists.$at
        if ($null -ne $found) { return @{ List = $found; Own = ($at -eq $Path.TrimEnd('\')) } }
        $at = if ($at.Contains('\')) { $at.Substring(0, $at.LastIndexOf('\')) } else { '' }
    }
    @{ List = @{ owner = 'S-1-5-32-544'; entries = $LabDefaultAccess }; Own = $false }
}

# FileSystemSecurity (4.1): rights are a signed number, identities are asked for by type. A refusal is thrown, whatever the
# preference says (2.11).
function Get-Acl {
    [CmdletBinding()]
    param([string]$LiteralPath)
    Add-LabCall 'Get-Acl' $PSBoundParameters
    Initialize-LabDrive
    if (Wait-LabProvider -What 'acl', 'Get-Acl' -Seconds 0) { return }
    if (-not $TentacleLab.KeyAccess.ContainsKey($LiteralPath) -and -not (Microsoft.PowerShell.Management\Test-Path -LiteralPath $LiteralPath)) {
        $missing = New-Object Management.Automation.ItemNotFoundException "Cannot find path '$LiteralPath'"
        $PSCmdlet.WriteError((New-LabError -Id 'GetAcl_PathNotFound' -Class "$LabCommands.GetAclCommand" -Category ObjectNotFound -Exception $missing))
        return
    }
    $access = Find-LabAccess $LiteralPath
    if ((Test-LabDenied 'acl') -or ($access.Own -and $access.List -is [string])) {
        $PSCmdlet.ThrowTerminatingError((New-LabUnhandled -Exception (New-Object UnauthorizedAccessException (Get-LabText 'NoAccess')) -Class 'GetAclCommand'))
    }
    $list = if ($access.List -is [string]) { @{ owner = 'S-1-5-32-544'; entries = $LabDefaultAccess } } else { $access.List }
    $rules = @(foreach ($entry in @($list.entries | Where-Object { $_ })) {
        [pscustomobject]@{
            IdentityReference = [pscustomobject]@{ Value = [string]$entry.sid }
            FileSystemRights  = [BitConverter]::ToInt32([BitConverter]::GetBytes([long]$entry.mask), 0)
            AccessControlType = [int][bool]$entry.deny
            IsInherited       = [bool]($entry.inherited -or -not $access.Own)
            InheritanceFlags  = [int]3
            PropagationFlags  = [int]$(if ($entry.inherit_only) { 2 } else { 0 })
        }
    })
    $acl = [pscustomobject]@{ AreAccessRulesProtected = [bool]($access.Own -and $list.protected); Rules = $rules; OwnerSid = [string]$list.owner }
    Add-Member -InputObject $acl -MemberType ScriptMethod -Name GetAccessRules -Value { $this.Rules }
    Add-Member -InputObject $acl -MemberType ScriptMethod -Name GetOwner -Value { [pscustomobject]@{ Value = $this.OwnerSid } } -PassThru
}

# A local group's members, as SIDs.
function Get-LabGroupMember {
    param([string]$Group)
    $groups = @{ 'S-1-5-32-544' = @('S-1-5-21-1111-2222-3333-500', 'S-1-5-21-1-2-3-512'); 'S-1-5-32-545' = @('S-1-5-4', 'S-1-5-11', 'S-1-5-21-1-2-3-513') }
    if (Test-LabRole 'workgroup') { $groups = @{ 'S-1-5-32-544' = @('S-1-5-21-1111-2222-3333-500'); 'S-1-5-32-545' = @('S-1-5-4', 'S-1-5-11') } }
    if ($TentacleLab.Machine.groups) { foreach ($each in $TentacleLab.Machine.groups.PSObject.Properties) { $groups[$each.Name] = @($each.Value) } }
    if ($groups.ContainsKey($Group)) { $groups[$Group] }
}

# LocalPrincipal objects, sorted by name. One member that nobody knows any more (machine.json's `orphaned` names the
# group) loses all rows; a domain controller has none of its built-in groups (2.12).
function Get-LocalGroupMember {
    [CmdletBinding()]
    param([string]$SID)
    Add-LabCall 'Get-LocalGroupMember' $PSBoundParameters
    $class = "$LabCommands.GetLocalGroupMemberCommand"
    if (Test-LabDenied 'groups') {
        $refusal = New-Object UnauthorizedAccessException (Get-LabText 'Denied')
        $PSCmdlet.WriteError((New-LabError -Id 'AccessDenied' -Class $class -Category PermissionDenied -Exception $refusal))
        return
    }
    if (Wait-LabProvider -What 'groups', 'Get-LocalGroupMember' -Seconds 0) { return }
    $members = @(Get-LabGroupMember $SID)
    if (-not $members.Count -or (Test-LabRole 'domain-controller')) {
        $missing = New-Object LabGroupException ((Get-LabText 'NoGroup') -f $SID)
        $PSCmdlet.WriteError((New-LabError -Id 'GroupNotFound' -Class $class -Category ObjectNotFound -Exception $missing -Target $SID -Reason 'GroupNotFoundException'))
        return
    }
    if (Test-LabMode -Mode 'orphaned' -What $SID) {
        $PSCmdlet.WriteError((New-LabError -Id (Get-LabText 'Unspecified') -Class $class -Category NotSpecified -Exception (New-Object InvalidOperationException (Get-LabText 'NoCompare'))))
        return
    }
    $rows = foreach ($member in $members) {
        $local = $member -match '^S-1-5-21-1111-2222-3333-'
        $kind = if ($member -match '-51[23]$|^S-1-5-\d+$') { 'Group' } else { 'User' }
        [pscustomobject]@{ Name = "NAME\$member"; SID = New-Object LabSid $member; ObjectClass = Get-LabText $kind; PrincipalSource = [int]$(if ($local) { 1 } else { 2 }) }
    }
    $rows | Sort-Object -Property Name
}
