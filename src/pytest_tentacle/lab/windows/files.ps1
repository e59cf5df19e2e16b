# Get-Item and its kin for files on drive C: and for keys of the registry: what is refused is refused here, all else is the
# engine's own.
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '', Justification = 'to stand in for them is the purpose')]
param()

# Drive C: is a folder; a session that began without it gets it now.
function Initialize-LabDrive {
    try {
        $null = $ExecutionContext.SessionState.Drive.Get('C')
    } catch {
        $null = New-PSDrive -Name C -PSProvider FileSystem -Root ([IO.Path]::Combine($TentacleLab.Folder, 'files', 'C')) -Scope Global
    }
}

function New-LabPathError {
    param([string]$Id, [string]$Category, [string]$Class, $Exception, [string]$Path)
    New-LabError -Id $Id -Class "$LabCommands.$Class" -Category $Category -Exception $Exception -Target $Path
}

# Windows PowerShell says of a path that it may not look at both: that it is refused, and then that it is not there (2.10).
function Get-ChildItem {
    [CmdletBinding()]
    param([string]$LiteralPath, [string]$Filter, [switch]$Force)
    if ($LiteralPath -eq 'Function:\') { return Microsoft.PowerShell.Management\Get-ChildItem @PSBoundParameters }
    Add-LabCall 'Get-ChildItem' $PSBoundParameters
    if (-not (Test-LabRegistryPath $LiteralPath)) {
        Initialize-LabDrive
        if ($LiteralPath -match '\\Instances$' -and (Wait-LabProvider -What 'instances' -Seconds 0)) { return }
        if ($LiteralPath -match '\\Instances$' -and (Test-LabDenied 'instances')) {
            $refusal = New-Object UnauthorizedAccessException (Get-LabText 'Denied')
            $PSCmdlet.WriteError((New-LabPathError -Id 'ItemExistsUnauthorizedAccessError' -Category PermissionDenied -Class 'GetChildItemCommand' -Exception $refusal -Path $LiteralPath))
            $missing = New-Object Management.Automation.ItemNotFoundException "Cannot find path '$LiteralPath' because it does not exist."
            $PSCmdlet.WriteError((New-LabPathError -Id 'PathNotFound' -Category ObjectNotFound -Class 'GetChildItemCommand' -Exception $missing -Path $LiteralPath))
            return
        }
        if ($LiteralPath -match '\\Crypto\\' -and (Wait-LabProvider -What 'keys' -Seconds 0)) { return }
        # A folder that may be seen, but not listed.
        if ($LiteralPath -match '\\Crypto\\' -and (Test-LabDenied 'keys')) {
            $refusal = New-Object UnauthorizedAccessException (Get-LabText 'Denied')
            $PSCmdlet.WriteError((New-LabPathError -Id 'DirUnauthorizedAccessError' -Category PermissionDenied -Class 'GetChildItemCommand' -Exception $refusal -Path $LiteralPath))
            return
        }
        if ($LiteralPath -match '\\Crypto\\') {
            $files = @($TentacleLab.KeyAccess.Keys | Where-Object { $_.StartsWith("$LiteralPath\") } | ForEach-Object { [pscustomobject]@{ Name = $_.Substring($LiteralPath.Length + 1) } })
            if ($files.Count) { return ($files | Where-Object { -not $Filter -or $_.Name -like $Filter }) }
        }
        return Microsoft.PowerShell.Management\Get-ChildItem @PSBoundParameters
    }
    $failure = Get-LabRegistryFailure -Path $LiteralPath -Class 'GetChildItemCommand'
    if ($failure) { $PSCmdlet.WriteError($failure); return }
    foreach ($name in (Get-LabKey $LiteralPath).Keys) { New-LabRegistryKey "$LiteralPath\$name" }
}

# Of what is refused it says that it is there; of a file or folder Windows PowerShell 5.1 writes an error besides.
function Test-Path {
    [CmdletBinding()]
    [OutputType([bool])]
    param([string]$LiteralPath)
    Add-LabCall 'Test-Path' $PSBoundParameters
    if (-not (Test-LabRegistryPath $LiteralPath)) {
        if (-not (Test-LabDenied 'folders')) { return Microsoft.PowerShell.Management\Test-Path @PSBoundParameters }
        $refusal = New-Object UnauthorizedAccessException (Get-LabText 'Denied')
        $PSCmdlet.WriteError((New-LabPathError -Id 'ItemExistsUnauthorizedAccessError' -Category PermissionDenied -Class 'TestPathCommand' -Exception $refusal -Path $LiteralPath))
        return $true
    }
    $failure = Get-LabRegistryFailure -Path $LiteralPath -Class 'TestPathCommand'
    -not $failure -or $failure.CategoryInfo.Category -eq 'PermissionDenied'
}

# A file that may be seen but not opened: the item is there, opening it is refused. A program has a version.
function Get-Item {
    [CmdletBinding()]
    param([string]$LiteralPath, [switch]$Force)
    Add-LabCall 'Get-Item' $PSBoundParameters
    Initialize-LabDrive
    if (Test-LabRegistryPath $LiteralPath) {
        $failure = Get-LabRegistryFailure -Path $LiteralPath -Class 'GetItemCommand'
        if ($failure) { $PSCmdlet.WriteError($failure); return }
        return New-LabRegistryKey $LiteralPath
    }
    if ($LiteralPath -match '\.config$' -and (Wait-LabProvider -What 'configuration' -Seconds 0)) { return }
    $item = Microsoft.PowerShell.Management\Get-Item @PSBoundParameters
    if ($item -isnot [IO.FileInfo]) { return $item }
    $seen = @{ FullName = $item.FullName; Name = $item.Name; DirectoryName = $item.DirectoryName; Length = $item.Length; LastWriteTimeUtc = $item.LastWriteTimeUtc }
    if ($LiteralPath -match '(?i)\.exe$') { return [pscustomobject]($seen + @{ VersionInfo = New-VersionShape $LiteralPath }) }
    $word = if ($LiteralPath -match '(?i)\\Logs\\') { 'logs' } else { 'configuration' }
    if (-not (Test-LabDenied $word)) { return $item }
    $refused = [pscustomobject]$seen
    Add-Member -InputObject $refused -MemberType ScriptMethod -Name Open -Value { throw (New-Object UnauthorizedAccessException (Get-LabText 'Denied')) } -PassThru
}
