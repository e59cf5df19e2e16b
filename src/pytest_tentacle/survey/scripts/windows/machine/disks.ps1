# The volumes that each Octopus Home and each folder for applications lies on, mount points included.

function Get-DiskSection {
    $folders = @(foreach ($instance in @(Get-KnownList 'instances')) {
        Get-InstanceHome $instance
        ([string]$instance.Settings['Tentacle.Deployment.ApplicationDirectory']).Trim()
    })
    $volumes = @(Get-DiskVolume)
    $seen = @{}
    foreach ($folder in @($folders | Where-Object { $_ } | Sort-Object -Unique)) {
        $best = $null
        foreach ($volume in $volumes) {
            $fits = "$folder\".StartsWith($volume.path, [StringComparison]::OrdinalIgnoreCase)
            if ($fits -and (-not $best -or $volume.path.Length -gt $best.path.Length)) { $best = $volume }
        }
        # A share, or a drive that is not there.
        if (-not $best) { $best = @{ path = $folder; free_bytes = $null; size_bytes = $null } }
        if ($seen.ContainsKey($best.path)) { continue }
        $seen[$best.path] = $true
        $best
    }
}

# Win32_Volume knows mount points and wants an administrator: others are refused, or shown none. Win32_LogicalDisk knows
# the drives.
function Get-DiskVolume {
    $rows = try {
        @(Get-WmiRow -Class 'Win32_Volume' -Filter 'DriveType = 3' -Property 'Name', 'FreeSpace', 'Capacity', 'DriveType' |
            ForEach-Object { @{ Name = [string]$_.Name; Free = $_.FreeSpace; Size = $_.Capacity } })
    } catch { $null }
    if (-not $rows) {
        $rows = @(Get-WmiRow -Class 'Win32_LogicalDisk' -Filter 'DriveType = 3' -Property 'DeviceID', 'FreeSpace', 'Size', 'DriveType' |
            ForEach-Object { @{ Name = [string]$_.DeviceID + '\'; Free = $_.FreeSpace; Size = $_.Size } })
    }
    foreach ($row in $rows) {
        # A locked volume has a name and no numbers; one without a place in the tree has a name of its own kind.
        if ($row.Name -notmatch '^[A-Za-z]:\\') { continue }
        @{
            path       = $row.Name
            free_bytes = if ($null -ne $row.Free) { [int64]$row.Free } else { $null }
            size_bytes = if ($null -ne $row.Size) { [int64]$row.Size } else { $null }
        }
    }
}
