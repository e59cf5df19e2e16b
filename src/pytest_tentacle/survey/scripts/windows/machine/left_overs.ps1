# What an installation that is gone left behind: it takes part in nothing, and gets in the way of the next one.

# The machine's stores in which Tentacle and Server keep their certificates (guide, "Uninstall Tentacles"), as keys of the
# registry: a certificate's key is its thumbprint.
$StoreKey = 'HKLM:\SOFTWARE\Microsoft\SystemCertificates'
$CertificateStores = 'MY', 'Octopus'

# As many certificates of one store are looked at.
$StoreLimit = 200

function Get-LeftOverSection {
    $instances = @(Get-KnownList 'instances')
    $services = @(Get-ProductService)
    Get-UnusedCertificate $instances
    foreach ($instance in $instances) {
        if ($instance.Configuration.error -eq 'not-found' -and -not $instance.Unnamed) { @{ kind = 'index'; where = "$($instance.Name): $($instance.Configuration.path)" } }
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
        foreach ($folder in "$($env:ProgramData)\Octopus", 'C:\Octopus') { if (Test-Folder $folder) { @{ kind = 'folder'; where = $folder } } }
    }
}

# Windows PowerShell 5.1 writes an error where it may not look; then nobody can tell.
function Test-Folder {
    param([string]$Path)
    try { Test-Path -LiteralPath $Path -ErrorAction Stop } catch { throw "whether there is a folder $Path may not be seen: $(Get-Reason $_)" }
}

# Of a product of which there is neither instance nor service. An installed program that nobody set up yet is none.
function Get-ProductLeftOver {
    param([string]$Folder)
    # A key that holds keys alone has no values to be read.
    if (Test-Path -LiteralPath "HKLM:\SOFTWARE\Octopus\$Folder") {
        $values = Get-RegistryValue "HKLM:\SOFTWARE\Octopus\$Folder"
        $location = if ($values) { ([string]$values.InstallLocation).TrimEnd('\') } else { '' }
        if (-not $location -or -not (Test-Folder $location)) { @{ kind = 'registry'; where = "HKLM:\SOFTWARE\Octopus\$Folder" } }
    }
    foreach ($task in @($Survey.Cache['tasks'] | Where-Object { $_ -like "Octopus Watchdog $Folder*" })) { @{ kind = 'task'; where = $task } }
}

# Certificates of the products that no registered instance uses. An Octopus Server has its thumbprint in its database, and
# settings that could not be read may name any: then nothing is said.
function Get-UnusedCertificate {
    param([object[]]$Instance)
    $used = @()
    foreach ($one in $Instance) {
        $thumbprint = [string]$one.Settings['Tentacle.CertificateThumbprint']
        if ($one.Product -ne 'tentacle' -or ($one.Settings.Count -eq 0 -and $one.Configuration.error -ne 'not-found')) { return }
        $used += $thumbprint.Trim()
    }
    foreach ($store in $CertificateStores) {
        $keys = @(Get-LegacyKey "$StoreKey\$store\Certificates") | Select-Object -First $StoreLimit
        foreach ($key in $keys) {
            $thumbprint = [string]$key.PSChildName
            if ($used -contains $thumbprint) { continue }
            $subject = Get-StoredSubject (Get-RegistryValue "$StoreKey\$store\Certificates\$thumbprint").Blob
            if ($subject -match '^CN=Octopus (Tentacle|Server|Portal)$') { @{ kind = 'certificate'; where = "LocalMachine\${store}: $thumbprint ($subject)" } }
        }
    }
}

function Get-StoredSubject {
    param($Blob)
    $der = Get-StoredProperty -Blob $Blob -Number 32
    if ($null -eq $der) { return $null }
    try { (New-Object Security.Cryptography.X509Certificates.X509Certificate (, [byte[]]$der)).Subject } catch { $null }
}
