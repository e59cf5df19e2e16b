# Rights on Octopus Home, as access lists of SIDs: the folder, what lies right in it, and below it whatever does not just
# inherit. What the lists mean for the service's account is worked out elsewhere.

$AccessLimit = 60
$LookLimit = 3000
$NewestFiles = 5

# What every service's token has: Everyone, Authenticated Users, Service, Users.
$ServiceGroup = 'S-1-1-0', 'S-1-5-11', 'S-1-5-6', 'S-1-5-32-545'

function Get-PermissionSection {
    foreach ($instance in @(Get-KnownList 'instances')) {
        $service = Get-InstanceService $instance
        # Nobody runs it: there is no account whose rights could be asked for.
        if (-not $service) { continue }
        $root = Get-InstanceHome $instance
        # On a share that is gone each look may take minutes.
        $tree = @(Invoke-Aside -What "the folder $root" -Seconds ((Get-SectionSecond) + 1) -Argument $root -Call { param($Root) Get-TreeAccess $Root })[0]
        $sid = Get-AccountSid $service.account
        $groups = Get-AccountGroup -Account $service.account -Sid $sid -Access $tree.Access
        @{
            instance = $instance.Name; product = $instance.Product; account = $service.account; sid = $sid
            groups = @($groups.Sids); groups_complete = $groups.Complete
            home = $root; access = @($tree.Access); looked_at = $tree.Looked; complete = $tree.Complete
        }
    }
}

# Breadth first, so that what is near the top is seen before the time is over. Links are never followed.
function Get-TreeAccess {
    param([string]$Root)
    $tree = @{ Access = New-Object Collections.ArrayList; Seen = @{}; Looked = 0; Complete = $true }
    $queue = New-Object Collections.Queue
    $queue.Enqueue(@{ Path = $Root; Depth = 0 })
    while ($queue.Count) {
        if (-not (Get-SectionSecond) -or $tree.Looked -ge $LookLimit) { $tree.Complete = $false; break }
        $folder = $queue.Dequeue()
        Add-Access -Tree $tree -Path $folder.Path -Kind 'folder' -Always:($folder.Depth -le 1)
        $files = New-Object Collections.ArrayList
        try {
            $number = 0
            foreach ($entry in (Get-Item -LiteralPath $folder.Path -Force -ErrorAction Stop).EnumerateFileSystemInfos()) {
                $number++
                if ($number -gt $LookLimit -or ($number % 256 -eq 0 -and -not (Get-SectionSecond))) { $tree.Complete = $false; break }
                $attributes = [int]$entry.Attributes
                if ($attributes -band 1024) { continue }
                $path = $folder.Path.TrimEnd('\') + '\' + $entry.Name
                if ($attributes -band 16) { $queue.Enqueue(@{ Path = $path; Depth = $folder.Depth + 1 }) } else { $null = $files.Add(@{ Path = $path; Time = $entry.LastWriteTimeUtc }) }
            }
        } catch {
            Add-AccessRecord -Tree $tree -Record @{ path = $folder.Path; error = (Get-FileErrorWord $_ $folder.Path) }
        }
        foreach ($file in @($files | Sort-Object -Property { $_.Time } -Descending | Select-Object -First $NewestFiles)) {
            Add-Access -Tree $tree -Path $file.Path -Kind 'file'
        }
    }
    $tree
}

# Into the document goes what is always wanted, protected or set on its own, and the first with a list not seen so far.
function Add-Access {
    param([hashtable]$Tree, [string]$Path, [string]$Kind, [switch]$Always)
    $Tree.Looked++
    try {
        $list = Read-AccessList $Path
        $entries = $list.Entries
        $own = $list.IsProtected -or @($entries | Where-Object { -not $_.inherited }).Count
        $signature = $Kind + (@($entries | ForEach-Object { '{0}:{1}:{2}:{3}' -f $_.sid, $_.mask, $_.deny, $_.inherit_only }) -join ' ')
        $isNew = -not $Tree.Seen.ContainsKey($signature)
        $Tree.Seen[$signature] = $true
        if ($Always -or $own -or $isNew) {
            Add-AccessRecord -Tree $Tree -Record @{ path = $Path; owner = $list.Owner; entries = $entries }
        }
    } catch {
        Add-AccessRecord -Tree $Tree -Record @{ path = $Path; error = (Get-FileErrorWord $_ $Path) }
    }
}

# Names are never looked up.
function Read-AccessList {
    param([string]$Path)
    $acl = Get-Acl -LiteralPath $Path -ErrorAction Stop
    $sids = [Security.Principal.SecurityIdentifier]
    $entries = @(foreach ($rule in $acl.GetAccessRules($true, $true, $sids)) {
        @{
            sid = [string]$rule.IdentityReference.Value
            # A signed number: generic rights stand in its highest bits.
            mask = [int64][int]$rule.FileSystemRights -band 0xFFFFFFFFL
            deny = ([int]$rule.AccessControlType -eq 1)
            inherited = [bool]$rule.IsInherited
            inherit_only = (([int]$rule.PropagationFlags -band 2) -ne 0)
        }
    })
    $owner = $acl.GetOwner($sids)
    @{ Entries = $entries; Owner = if ($owner) { [string]$owner.Value } else { $null }; IsProtected = [bool]$acl.AreAccessRulesProtected }
}

function Add-AccessRecord {
    param([hashtable]$Tree, [hashtable]$Record)
    foreach ($known in $Tree.Access) { if ($known.path -eq $Record.path) { return } }
    if ($Tree.Access.Count -ge $AccessLimit) { $Tree.Complete = $false; return }
    $null = $Tree.Access.Add($Record)
}

# Members of a local group as SIDs. The cmdlet looks up each one's name, and one that nobody knows any more loses all of
# them; before PowerShell 5.1 there is none. The directory of the machine itself gives SIDs without asking who they are. A
# domain controller's answer, that there is no such group, is none.
function Get-GroupMemberSid {
    param([string]$Group)
    try {
        foreach ($member in @(Get-LocalGroupMember -SID $Group -ErrorAction Stop)) { [string]$member.SID.Value }
    } catch {
        if ([string]$_.FullyQualifiedErrorId -like 'GroupNotFound*' -or (Test-Denied $_)) { throw }
        $name = @((New-Object Security.Principal.SecurityIdentifier $Group).Translate([Security.Principal.NTAccount]).Value -split '\\')[-1]
        $entry = New-Object DirectoryServices.DirectoryEntry "WinNT://./$name,group"
        foreach ($member in @($entry.Invoke('Members'))) {
            $bytes = [byte[]]$member.GetType().InvokeMember('objectSid', [Reflection.BindingFlags]::GetProperty, $null, $member, $null)
            [string](New-Object Security.Principal.SecurityIdentifier ($bytes, 0)).Value
        }
    }
}

# Groups that every service's token has, and the local ones named in the lists that hold the account. Those of a domain
# are not asked for.
function Get-AccountGroup {
    param([string]$Account, [string]$Sid, $Access)
    if ($Sid -eq 'S-1-5-18') { return @{ Sids = @('S-1-5-32-544', 'S-1-1-0', 'S-1-5-11'); Complete = $true } }
    if ($BuiltInSid.ContainsKey($Account)) { return @{ Sids = $ServiceGroup; Complete = $true } }
    $domain = ($Account -split '\\', 2)[0]
    $isVirtual = $domain -eq 'NT SERVICE'
    # A domain controller's accounts are all of its domain.
    $isLocal = -not (Test-DomainController) -and @('.', $env:COMPUTERNAME) -contains $domain
    $sids = @($ServiceGroup)
    if ($isLocal) { $sids += 'S-1-5-113' }
    $complete = ($isLocal -or $isVirtual) -and [bool]$Sid
    $held = @($sids) + $Sid
    $named = @($Access | ForEach-Object { $_.entries } | ForEach-Object { $_.sid } | Where-Object { $_ -match '^S-1-5-(32|21)-' -and $held -notcontains $_ } | Sort-Object -Unique)
    foreach ($group in $named) {
        if (-not (Get-SectionSecond)) { $complete = $false; break }
        try {
            if (-not $Survey.Cache.ContainsKey("members $group")) {
                $Survey.Cache["members $group"] = @(Invoke-Aside -What 'the list of members of a local group' -Seconds ([Math]::Min(5, (Get-SectionSecond))) -Argument $group -Call {
                        param($Group)
                        Get-GroupMemberSid $Group
                    })
            }
            if (@($Survey.Cache["members $group"] | Where-Object { $held -contains $_ }).Count) { $sids += $group }
        } catch {
            # A user of its own, or a group of the domain, which matters to accounts of the domain only. Windows' own groups
            # are everywhere: a domain controller says of them that they are not there.
            if ([string]$_.FullyQualifiedErrorId -notlike 'GroupNotFound*' -or $group -like 'S-1-5-32-*') { $complete = $false }
        }
    }
    @{ Sids = $sids; Complete = $complete }
}
