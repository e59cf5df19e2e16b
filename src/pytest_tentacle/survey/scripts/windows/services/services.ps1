# Services of Octopus Deploy: by WMI, else from the registry and the service controller.

# Variables that override a Tentacle's settings; those that hold secrets are left out.
$OverrideVariables = @(
    'TENTACLE_SERVICE_PORT', 'TENTACLE_LISTEN_IP', 'TENTACLE_NO_LISTEN', 'TENTACLE_TRUSTED_SERVERS', 'TENTACLE_APPLICATION_DIRECTORY',
    'TENTACLE_CERTIFICATE_THUMBPRINT', 'TENTACLE_POLLING_USE_DEFAULT_PROXY', 'TENTACLE_POLLING_CUSTOM_PROXY_USER',
    'TENTACLE_POLLING_CUSTOM_PROXY_HOST', 'TENTACLE_POLLING_CUSTOM_PROXY_PORT', 'OCTOPUS_HOME', 'OCTOPUS_USE_DEFAULT_PROXY',
    'OCTOPUS_PROXY_HOST', 'OCTOPUS_PROXY_PORT', 'OCTOPUS_PROXY_USER', 'TentacleMachineConfigurationHomeDirectory',
    'DefaultLogDirectory'
)

function Get-ServiceSection {
    $rows = try {
        @(Get-ServiceByCim)
    } catch {
        # What WMI said is the reason to give where the other way is closed, too.
        $refusal = $_
        try { @(Get-ServiceByRegistry) } catch { throw $refusal }
    }
    $services = @(foreach ($row in $rows) { ConvertTo-ServiceRecord $row })
    $Survey.Cache['services'] = $services
    $services
}

function ConvertTo-ServiceRecord {
    param([hashtable]$Row)
    $command = Split-CommandLine $row.Path
    $process = if ($row.ProcessId -gt 0) { try { (Get-ProcessTable)[[string]$row.ProcessId] } catch { $null } } else { $null }
    $environment = Get-ServiceEnvironment $Row.Name
    $record = @{
        name        = [string]$row.Name
        product     = Get-ServiceProduct $row.Name $command
        instance    = Get-InstanceArgument $command.Arguments
        state       = $row.State
        start_mode  = $row.StartMode
        account     = Get-AccountName $row.Account
        pid         = if ($row.ProcessId -gt 0) { [int64]$row.ProcessId } else { $null }
        started_utc = if ($process) { ConvertTo-UtcText $process.Started } else { $null }
        exit_code   = $row.ExitCode
        restarts    = $null
        executable  = $command.Executable
        arguments   = Hide-Secret $command.Arguments
        environment = $environment.Variables
        detail      = $row.Detail
    }
    if ($environment.Unread) { $record['environment_unread'] = $environment.Unread }
    if ($environment.Deleted) { $record['deleted'] = $true }
    if ([string]$command.Executable -match '\s') { $record['unquoted'] = $row.Path -notmatch '^\s*"' }
    $resource = Get-ServiceCluster $record
    if ($resource) { $record['cluster'] = $resource }
    $record
}

# The resource of a failover cluster (type "Generic Service") by which it is started and stopped, or $null. The cluster's
# part of the registry is there while its own service runs on this node. Who runs the resource only WMI says, which is asked
# about a service that does not run here.
function Get-ServiceCluster {
    param([hashtable]$Service)
    $root = 'HKLM:\Cluster\Resources'
    if (-not $Service.product -or -not (Test-Path -LiteralPath $root)) { return $null }
    try {
        $key = $null
        foreach ($each in @(Get-ChildItem -LiteralPath $root -ErrorAction Stop)) {
            $parameters = Get-RegistryValue "$root\$($each.PSChildName)\Parameters"
            if ($parameters -and [string]$parameters.ServiceName -eq $Service.name) { $key = "$root\$($each.PSChildName)"; break }
        }
        if (-not $key) { return $null }
        $found = @{ resource = [string](Get-RegistryValue $key).Name }
    } catch {
        return @{ detail = "the cluster's part of the registry could not be read: $($_.Exception.Message)" }
    }
    if ($Service.state -eq 'running') { return $found }
    $states = @{ 2 = 'online'; 3 = 'offline'; 4 = 'failed'; 128 = 'pending'; 129 = 'pending'; 130 = 'pending' }
    try {
        $quoted = $found.resource.Replace('\', '\\').Replace("'", "\'")
        $question = @{ Class = 'MSCluster_Resource'; Namespace = 'root/MSCluster'; Filter = "Name = '$quoted'"; Property = 'Name', 'State', 'OwnerNode', 'OwnerGroup'; Seconds = 5 }
        $row = @(Get-WmiRow @question)[0]
        if (-not $row) { throw 'WMI does not know the resource' }
        $found['state'] = $states[[int]$row.State]
        $found['owner'] = [string]$row.OwnerNode
        $found['group'] = [string]$row.OwnerGroup
    } catch {
        $found['detail'] = "which node runs it could not be read: $($_.Exception.Message)"
    }
    $found
}

function Get-ServiceByCim {
    $filter = "Name LIKE 'Octopus%' OR PathName LIKE '%Tentacle%' OR PathName LIKE '%Octopus.Server%'"
    $columns = 'Name', 'PathName', 'StartName', 'ProcessId', 'State', 'StartMode', 'ExitCode', 'ServiceSpecificExitCode'
    $rows = Get-WmiRow -Class 'Win32_Service' -Filter $filter -Property $columns
    $states = @{
        'Running' = 'running'; 'Stopped' = 'stopped'; 'Start Pending' = 'starting'; 'Continue Pending' = 'starting'
        'Stop Pending' = 'stopping'; 'Pause Pending' = 'paused'; 'Paused' = 'paused'
    }
    $modes = @{ 'Auto' = 'auto'; 'Manual' = 'manual'; 'Disabled' = 'disabled' }
    foreach ($row in @($rows)) {
        $state = $states[[string]$row.State]
        $mode = $modes[[string]$row.StartMode]
        @{
            Name = $row.Name; Path = [string]$row.PathName; Account = [string]$row.StartName; ProcessId = [int64]$row.ProcessId
            State = if ($state) { $state } else { 'unknown' }
            StartMode = if ($mode) { $mode } else { 'other' }
            ExitCode = [int64]$row.ExitCode
            # 1066: the service's own error, whose number stands elsewhere.
            Detail = if ([int64]$row.ExitCode -eq 1066) { 'service-specific exit code ' + [int64]$row.ServiceSpecificExitCode } else { $null }
        }
    }
}

# The registry is there for everybody. Their state is the service controller's, who refuses those whom WMI refuses; then a
# running process of the same program tells that it runs, and nothing tells that it does not.
function Get-ServiceByRegistry {
    $states = @{ 1 = 'stopped'; 2 = 'starting'; 3 = 'stopping'; 4 = 'running'; 5 = 'starting'; 6 = 'paused'; 7 = 'paused' }
    $modes = @{ 2 = 'auto'; 3 = 'manual'; 4 = 'disabled' }
    foreach ($key in @(Get-ChildItem -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Services' -ErrorAction SilentlyContinue)) {
        $name = [string]$key.PSChildName
        $path = [string]$key.GetValue('ImagePath')
        if ($name -notlike 'Octopus*' -and $path -notmatch '(?i)Tentacle|Octopus\.Server') { continue }
        $values = Get-RegistryValue "HKLM:\SYSTEM\CurrentControlSet\Services\$name"
        # A driver or a remnant has no type of a service with a process (16, 32) or no command.
        if (-not $values -or -not $path) { continue }
        $command = Split-CommandLine $path
        $service = try { @(Get-Service -Name $name -ErrorAction Stop)[0] } catch { $null }
        $state = if ($service) { $states[[int]$service.Status] } else { $null }
        $runs = if ($state) { $null } else { Find-RunningProgram $path $command.Executable }
        $mode = $modes[[int]$values.Start]
        @{
            Name = $name
            Path = $path
            Account = [string]$values.ObjectName
            ProcessId = if ($runs) { $runs } else { 0 }
            State = if ($state) { $state } elseif ($runs) { 'running' } else { 'unknown' }
            StartMode = if ($mode) { $mode } else { 'other' }
            ExitCode = $null
            Detail = 'read from the registry: ' + $(if ($Survey.Hung.ContainsKey('WMI')) { $Survey.Hung['WMI'] } else { 'WMI could not be asked' })
        }
    }
}

# By its whole command line where that may be seen, for instances share their program; else by the program alone.
function Find-RunningProgram {
    param([string]$Line, [string]$Executable)
    if (-not $Executable) { return $null }
    $processes = try { @((Get-ProcessTable).Values) } catch { @() }
    foreach ($process in $processes) { if ($process.CommandLine -and $process.CommandLine.Trim() -eq $Line.Trim()) { return [int64]$process.Id } }
    foreach ($process in $processes) { if (-not $process.CommandLine -and $process.Executable -eq $Executable) { return [int64]$process.Id } }
    $null
}

function Split-CommandLine {
    param([string]$Line)
    # `dotnet "C:\...\Tentacle.dll" run` is how a build without a program of its own is registered.
    if ($Line -match '^\s*"([^"]+)"\s*(.*)$' -or $Line -match '(?i)^\s*(dotnet(?:\.exe)?)\s+(.*)$' -or $Line -match '(?i)^\s*(.+?\.(?:exe|dll))(?:\s+(.*))?$') {
        return @{ Executable = [string]$Matches[1]; Arguments = [string]$Matches[2] }
    }
    @{ Executable = $null; Arguments = [string]$Line }
}

function Get-ServiceProduct {
    param([string]$Name, [hashtable]$Command)
    $line = [string]$Command.Executable + ' ' + [string]$Command.Arguments
    if ($line -match '(?i)Octopus\.Server\.(exe|dll)\b') { return 'server' }
    if ($line -match '(?i)(^|[\\/])(Octopus\.)?Tentacle\.(exe|dll)\b') { return 'tentacle' }
    if ($Name -match '(?i)^OctopusDeploy Tentacle(:|$)') { return 'tentacle' }
    if ($Name -match '(?i)^OctopusDeploy(:|$)') { return 'server' }
    $null
}

function Get-InstanceArgument {
    param([string]$Arguments, [string]$Name = 'instance')
    if ($Arguments -match ('(?i)(?:^|\s)(?:--?|/)' + $Name + '(?:[=:]|\s+)(?:"([^"]*)"|(\S+))')) {
        if ($Matches[1]) { return [string]$Matches[1] }
        return [string]$Matches[2]
    }
    $null
}

# One spelling for the three accounts of Windows' own, whatever its language; nobody is asked about any other name, since
# that may wait for a domain controller.
function Get-AccountName {
    param([string]$Account)
    if (-not $Account -or $Account -match '(?i)^(\.\\)?LocalSystem$') { return 'LocalSystem' }
    if (-not $Survey.Cache.ContainsKey('accounts')) {
        $names = @{ 'nt authority\localservice' = 'NT AUTHORITY\LocalService'; 'nt authority\networkservice' = 'NT AUTHORITY\NetworkService' }
        $known = @{ 'S-1-5-18' = 'LocalSystem'; 'S-1-5-19' = 'NT AUTHORITY\LocalService'; 'S-1-5-20' = 'NT AUTHORITY\NetworkService' }
        foreach ($id in $known.Keys) {
            try {
                $localised = (New-Object Security.Principal.SecurityIdentifier $id).Translate([Security.Principal.NTAccount]).Value
                $names[([string]$localised).ToLowerInvariant()] = $known[$id]
            } catch { continue }
        }
        $Survey.Cache['accounts'] = $names
    }
    $canonical = $Survey.Cache['accounts'][$Account.ToLowerInvariant()]
    if ($canonical) { $canonical } else { $Account }
}

# What the process is started with: the machine's variables, and over them the service's own (REG_MULTI_SZ Environment);
# and why there may be more of them, where the registry refuses. The same key tells whether the service is to be deleted.
function Get-ServiceEnvironment {
    param([string]$Name)
    $found = @{}
    $unread = $null
    $deleted = $false
    try {
        $machine = Get-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
        foreach ($variable in $OverrideVariables) {
            if ($machine -and $null -ne $machine.$variable) { $found[$variable] = [string]$machine.$variable }
        }
        $own = Get-RegistryValue "HKLM:\SYSTEM\CurrentControlSet\Services\$Name"
        if ($own) {
            $deleted = [int64]$own.DeleteFlag -ne 0
            foreach ($line in @($own.Environment)) {
                $pair = ([string]$line) -split '=', 2
                if ($pair.Count -eq 2 -and $OverrideVariables -contains $pair[0]) { $found[$pair[0]] = [string]$pair[1] }
            }
        }
    } catch {
        $unread = "the registry could not be read: $($_.Exception.Message)"
    }
    @{ Variables = $found; Unread = $unread; Deleted = $deleted }
}
