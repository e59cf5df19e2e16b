# Installed products and their versions, from the executables themselves.

$ProductFiles = @{ tentacle = 'Tentacle.exe'; server = 'Octopus.Server.exe' }

function Get-ProductSection {
    foreach ($executable in @(Get-ProductExecutable)) {
        $version = $null
        try {
            $version = Get-ProductVersion (Get-Item -LiteralPath $executable.Path -Force -ErrorAction Stop).VersionInfo
        } catch {
            # A service whose program is gone is no installed product.
            if ((Get-FileErrorWord $_ $executable.Path) -eq 'not-found') { continue }
        }
        @{ product = $executable.Product; version = $version; path = $executable.Path }
    }
}

# Each executable once: those that services run, and those where the installer says that it put them.
function Get-ProductExecutable {
    $seen = @{}
    $found = @(foreach ($service in @(Get-ProductService)) {
            if ([string]$service.executable -match '(?i)(^|[\\/])dotnet(\.exe)?$') {
                if ([string]$service.arguments -match '(?i)^\s*(?:"([^"]+\.dll)"|(\S+\.dll))') { @{ Product = $service.product; Path = "$($Matches[1])$($Matches[2])"; By = $service.executable } }
            } else {
                @{ Product = $service.product; Path = $service.executable }
            }
        })
    foreach ($kind in @{ Product = 'tentacle'; Key = 'Tentacle' }, @{ Product = 'server'; Key = 'OctopusServer' }) {
        $values = Get-RegistryValue "HKLM:\SOFTWARE\Octopus\$($kind.Key)"
        if ($values -and $values.InstallLocation) {
            $folder = ([string]$values.InstallLocation).TrimEnd('\')
            $found += @{ Product = $kind.Product; Path = "$folder\$($ProductFiles[$kind.Product])" }
        }
    }
    foreach ($executable in $found) {
        # Only the product's own program: a service may run it by way of another one.
        if ($executable.Path -notmatch '(?i)[\\/](Octopus\.)?(Tentacle|Server)\.(exe|dll)$' -or $seen.ContainsKey($executable.Path)) { continue }
        $seen[$executable.Path] = $true
        $executable
    }
}

# `8.2.3` of `8.2.3+Branch.main.Sha.0123`; else the file's version of four parts without a last zero.
function Get-ProductVersion {
    param($Information)
    if ([string]$Information.ProductVersion -match '^\s*(\d+(?:\.\d+)+[^\s+]*)') { return $Matches[1] -replace '^(\d+\.\d+\.\d+)\.0$', '$1' }
    if ([string]$Information.FileVersion -match '^\s*(\d+(?:\.\d+)+)') { return $Matches[1] -replace '^(\d+\.\d+\.\d+)\.0$', '$1' }
    $null
}
