# What an installation that is gone left behind: it takes part in nothing, and gets in the way of the next one.

function Get-LeftOverSection {
    $instances = @(Get-KnownList 'instances')
    $services = @(Get-ProductService)
    foreach ($instance in $instances) {
        if ($instance.Configuration.error -eq 'not-found') { @{ kind = 'index'; where = "$($instance.Name): $($instance.Configuration.path)" } }
    }
    foreach ($service in $services) {
        $own = @($instances | Where-Object { $_.Product -eq $service.product })
        $named = @($own | Where-Object { -not $service.instance -or $_.Name -eq $service.instance })
        # `--config` instead of `--instance` is a way to run without an index.
        if (-not $named.Count -and [string]$service.arguments -notmatch '(?i)(^|\s)(--?|/)config\b') { @{ kind = 'service'; where = $service.name } }
    }
    foreach ($kind in @{ Product = 'tentacle'; Folder = 'Tentacle' }, @{ Product = 'server'; Folder = 'OctopusServer' }) {
        $inUse = @($instances | Where-Object { $_.Product -eq $kind.Product }).Count + @($services | Where-Object { $_.product -eq $kind.Product }).Count
        if ($inUse) { continue }
        Get-ProductLeftOver $kind.Folder
    }
    if (-not $instances.Count -and -not $services.Count) {
        # The guide's list, "Uninstall Tentacles".
        foreach ($folder in "$($env:ProgramData)\Octopus", 'C:\Octopus') {
            if (Test-Path -LiteralPath $folder) { @{ kind = 'folder'; where = $folder } }
        }
    }
}

# Of a product of which there is neither instance nor service. An installed program that nobody set up yet is none.
function Get-ProductLeftOver {
    param([string]$Folder)
    $values = Get-RegistryValue "HKLM:\SOFTWARE\Octopus\$Folder"
    if ($values) {
        $location = ([string]$values.InstallLocation).TrimEnd('\')
        if (-not $location -or -not (Test-Path -LiteralPath $location)) { @{ kind = 'registry'; where = "HKLM:\SOFTWARE\Octopus\$Folder" } }
    }
    foreach ($task in @($Survey.Cache['tasks'] | Where-Object { $_ -like "Octopus Watchdog $Folder*" })) { @{ kind = 'task'; where = $task } }
}
