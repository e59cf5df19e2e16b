# Instances of Tentacle and Octopus Server, and their configuration files with the secrets emptied.

# A configuration file has a few kilobytes; what is larger than this is something else.
$ConfigurationLimit = 1048576

# Keys whose values never leave the machine; more than the known ones, since a new secret should not slip through.
$SecretKey = '[^"'']*(?:Certificate|Password|Secret|Token|Key)|[^"'']*ConnectionString[^"'']*'

# Variables that decide where an instance listens, whom it polls and through what, and the keys that they stand for.
$OverriddenSettings = @{
    TENTACLE_SERVICE_PORT    = 'Tentacle.Services.PortNumber'
    TENTACLE_LISTEN_IP       = 'Tentacle.Services.ListenIP'
    TENTACLE_NO_LISTEN       = 'Tentacle.Services.NoListen'
    TENTACLE_TRUSTED_SERVERS = 'Tentacle.Communication.TrustedOctopusServers'

    TENTACLE_POLLING_USE_DEFAULT_PROXY = 'Octopus.Server.Proxy.UseDefaultProxy'
    TENTACLE_POLLING_CUSTOM_PROXY_HOST = 'Octopus.Server.Proxy.ProxyHost'
    TENTACLE_POLLING_CUSTOM_PROXY_PORT = 'Octopus.Server.Proxy.ProxyPort'
}

function Get-InstanceSection {
    $instances = @(Get-IndexedInstance)
    $instances += @(Get-UnnamedInstance $instances)
    foreach ($instance in $instances) { Set-OverriddenSetting $instance }
    $Survey.Cache['instances'] = $instances
    foreach ($instance in $instances) {
        $record = @{ product = $instance.Product; name = $instance.Name; configuration = $instance.Configuration }
        if ($instance.Unnamed) { $record['unnamed'] = $true }
        $record
    }
}

# What a service runs by --config and stands in no index has no name, and is told under the default one where that is free.
function Get-UnnamedInstance {
    param([object[]]$Indexed)
    $taken = @($Indexed | Where-Object { $_ -and $_.Product -eq 'tentacle' } | ForEach-Object { $_.Name })
    $known = @($Indexed | Where-Object { $_ } | ForEach-Object { $_.Configuration.path })
    foreach ($service in @($Survey.Cache['services'] | Where-Object { $_ -and $_.product -eq 'tentacle' -and -not $_.instance -and [string]$_.arguments -match '(?i)(^|\s)(run|agent)\s' })) {
        $path = Get-InstanceArgument $service.arguments 'config'
        if (-not $path -or $known -contains $path -or $path -notmatch '^(?:[A-Za-z]:\\|\\\\)') { continue }
        $known += $path
        $instance = Read-Instance -Product 'tentacle' -Name $(if ($taken -contains 'Tentacle') { $path } else { 'Tentacle' }) -Path $path
        $taken += 'Tentacle'
        $instance['Unnamed'] = $true
        $instance
    }
}

function Get-IndexedInstance {
    $root = [string]$env:TentacleMachineConfigurationHomeDirectory
    if (-not $root) { $root = "$env:ProgramData\Octopus" }
    foreach ($kind in @(@{ Product = 'tentacle'; Folder = 'Tentacle' }, @{ Product = 'server'; Folder = 'OctopusServer' })) {
        $seen = @{}
        foreach ($index in @(Get-IndexFile "$root\$($kind.Folder)\Instances")) {
            $instance = Read-IndexFile $index $kind.Product
            $seen[$instance.Name] = $true
            $instance
        }
        # Older versions kept the index in the registry; it is moved to files when it is used.
        foreach ($key in @(Get-LegacyKey "HKLM:\SOFTWARE\Octopus\$($kind.Folder)")) {
            $name = [string]$key.PSChildName
            $path = (Get-RegistryValue "HKLM:\SOFTWARE\Octopus\$($kind.Folder)\$name").ConfigurationFilePath
            if ($path -and -not $seen.ContainsKey($name)) { Read-Instance -Product $kind.Product -Name $name -Path ([string]$path) }
        }
    }
}

function Get-IndexFile {
    param([string]$Folder)
    try {
        Get-ChildItem -LiteralPath $Folder -Filter '*.config' -ErrorAction Stop | Sort-Object -Property Name
    } catch [Management.Automation.ItemNotFoundException] {
        if ((Get-FileErrorWord $_ $Folder) -eq 'denied') { throw (New-Object UnauthorizedAccessException "$Folder may not be looked into") }
        @()
    }
}

function Get-LegacyKey {
    param([string]$Key)
    try {
        Get-ChildItem -LiteralPath $Key -ErrorAction Stop
    } catch [Management.Automation.ItemNotFoundException] {
        @()
    }
}

function Read-IndexFile {
    param($File, [string]$Product)
    $fallback = [IO.Path]::GetFileNameWithoutExtension([string]$File.Name)
    try {
        $text = [Text.Encoding]::UTF8.GetString((Read-FileByte $File)).TrimStart([char]0xFEFF)
        $entry = ConvertFrom-Json -InputObject $text -ErrorAction Stop
        if (-not $entry.Name -or -not $entry.ConfigurationFilePath) { throw 'it names no instance or no file' }
    } catch {
        $kind = if (Test-Denied $_) { 'denied' } else { 'malformed' }
        $configuration = @{ path = [string]$File.FullName; error = $kind; detail = 'the index of instances: ' + (Get-Reason $_) }
        return @{ Product = $Product; Name = $fallback; Configuration = $configuration; Settings = @{} }
    }
    Read-Instance -Product $Product -Name ([string]$entry.Name) -Path ([string]$entry.ConfigurationFilePath)
}

function Read-Instance {
    param([string]$Product, [string]$Name, [string]$Path)
    $read = Read-Configuration $Path
    @{ Product = $Product; Name = $Name; Configuration = $read.Configuration; Settings = $read.Settings }
}

# Through the item, not [IO.File]: so a path is whatever PowerShell's drives make of it. Shared with those who write.
function Read-FileByte {
    param($Item)
    $stream = $Item.Open([IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]'ReadWrite, Delete')
    try {
        $copy = New-Object IO.MemoryStream
        $stream.CopyTo($copy)
        , $copy.ToArray()
    } finally {
        $stream.Dispose()
    }
}

# One file for the document (`text` is base64 of the bytes without secrets), and its settings for the script's own use.
function Read-Configuration {
    param([string]$Path)
    $configuration = @{ path = $Path }
    $settings = @{}
    try {
        $item = Get-Item -LiteralPath $Path -Force -ErrorAction Stop
        $configuration['size'] = [int64]$item.Length
        $configuration['modified_utc'] = ConvertTo-UtcText $item.LastWriteTimeUtc
        if ($configuration['size'] -gt $ConfigurationLimit) { throw "it has more than $ConfigurationLimit bytes" }
        $bytes = Read-FileByte $item
        if ($bytes.Length -eq 0) {
            $configuration['error'] = 'empty'
        } else {
            $encoding = Get-FileEncoding $bytes
            $text = $encoding.GetString($bytes)
            # What is no configuration at all may hold anything, and stays where it is.
            if (-not $text.Contains('<octopus-settings')) { throw (New-Object FormatException 'it holds no octopus-settings element') }
            $text = Clear-SecretValue $text
            $configuration['text'] = [Convert]::ToBase64String($encoding.GetBytes($text))
            $settings = Get-Setting -Text $text -Encoding $encoding
        }
    } catch {
        $configuration['error'] = Get-FileErrorWord $_ $Path
        $configuration['detail'] = Get-Reason $_
    }
    @{ Configuration = $configuration; Settings = $settings }
}

# Windows-1252's elder brother 28591 keeps every byte as it is, whatever it means; only UTF-16 needs its own reading.
function Get-FileEncoding {
    param([byte[]]$Bytes)
    if ($Bytes -contains 0) {
        if ($Bytes[0] -eq 0xFE -or $Bytes[0] -eq 0) { return [Text.Encoding]::BigEndianUnicode }
        return [Text.Encoding]::Unicode
    }
    [Text.Encoding]::GetEncoding(28591)
}

# A file that was cut off within a secret has no closing tag: then all that follows goes.
function Clear-SecretValue {
    param([string]$Text)
    $pattern = '(?is)(<set\b[^>]*?\bkey\s*=\s*["''](?:' + $SecretKey + ')["''][^>]*(?<!/)>).*?(?=</set\b|\z)'
    [regex]::Replace($Text, $pattern, '$1')
}

# By key, as far as the file can be parsed; an empty table says that there is nothing to probe.
function Get-Setting {
    param([string]$Text, [Text.Encoding]$Encoding)
    $settings = @{}
    if ($Encoding.IsSingleByte) { $Text = [Text.Encoding]::UTF8.GetString($Encoding.GetBytes($Text)) }
    try {
        $xml = New-Object Xml.XmlDocument
        $xml.XmlResolver = $null
        $xml.LoadXml($Text.TrimStart([char]0xFEFF))
        foreach ($node in $xml.GetElementsByTagName('set')) { $settings[[string]$node.GetAttribute('key')] = [string]$node.InnerText }
    } catch {
        # The reader of the survey says what is wrong with the file.
        $settings.Clear()
    }
    $settings
}

# What the instance's service sets in its environment wins over the file.
function Set-OverriddenSetting {
    param([hashtable]$Instance)
    if ($Instance.Product -ne 'tentacle' -or $Instance.Settings.Count -eq 0) { return }
    foreach ($service in @($Survey.Cache['services'] | Where-Object { $_ -and $_.product -eq 'tentacle' })) {
        if ($service.instance -ne $Instance.Name -and ($service.instance -or $Instance.Name -ne 'Tentacle')) { continue }
        foreach ($variable in $OverriddenSettings.Keys) {
            $value = $service.environment[$variable]
            if ($value) { $Instance.Settings[$OverriddenSettings[$variable]] = $value }
        }
    }
}

# PowerShell says "not found" where it may not look, too; .NET tells the two apart.
function Get-FileErrorWord {
    param($ErrorRecord, [string]$Path)
    if (Test-Denied $ErrorRecord) { return 'denied' }
    foreach ($type in [Management.Automation.ItemNotFoundException], [Management.Automation.DriveNotFoundException], [IO.FileNotFoundException], [IO.DirectoryNotFoundException]) {
        if (Test-Chain $ErrorRecord.Exception $type) {
            try { $null = [IO.File]::GetAttributes($Path) } catch { if (Test-Denied $_) { return 'denied' } }
            return 'not-found'
        }
    }
    if (Test-Chain $ErrorRecord.Exception ([FormatException])) { return 'malformed' }
    'unreadable'
}
