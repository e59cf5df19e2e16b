# Get-Item and its kin for files on drive C: and for keys of the registry: what is refused is refused here, all else is the
# engine's own.
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '', Justification = 'to stand in for them is the purpose')]
param()

function Get-ChildItem {
    [CmdletBinding()]
    param([string]$LiteralPath, [string]$Filter)
    Add-LabCall 'Get-ChildItem' $PSBoundParameters
    if (-not (Test-LabRegistryPath $LiteralPath)) {
        if (Test-LabDenied 'instances') {
            $refusal = New-Object UnauthorizedAccessException (Get-LabText 'Denied')
            $PSCmdlet.WriteError((New-LabError -Id 'DirUnauthorizedAccessError' -Category PermissionDenied -Exception $refusal))
            return
        }
        return Microsoft.PowerShell.Management\Get-ChildItem @PSBoundParameters
    }
    $failure = Get-LabRegistryFailure $LiteralPath
    if ($failure) { $PSCmdlet.WriteError($failure); return }
    foreach ($name in (Get-LabSubkey $LiteralPath)) { [pscustomobject]@{ PSChildName = $name; Name = "$LiteralPath\$name" } }
}

function Test-Path {
    [CmdletBinding()]
    [OutputType([bool])]
    param([string]$LiteralPath)
    Add-LabCall 'Test-Path' $PSBoundParameters
    if (-not (Test-LabRegistryPath $LiteralPath)) { return Microsoft.PowerShell.Management\Test-Path @PSBoundParameters }
    -not (Get-LabRegistryFailure $LiteralPath)
}

# A file that may be seen but not opened: the item is there, opening it is refused. A program has a version.
function Get-Item {
    [CmdletBinding()]
    param([string]$LiteralPath, [switch]$Force)
    Add-LabCall 'Get-Item' $PSBoundParameters
    $item = Microsoft.PowerShell.Management\Get-Item @PSBoundParameters
    if ($item -isnot [IO.FileInfo]) { return $item }
    $seen = @{ FullName = $item.FullName; Name = $item.Name; DirectoryName = $item.DirectoryName; Length = $item.Length; LastWriteTimeUtc = $item.LastWriteTimeUtc }
    if ($LiteralPath -match '(?i)\.exe$') { return [pscustomobject]($seen + @{ VersionInfo = New-VersionShape $LiteralPath }) }
    $word = if ($LiteralPath -match '(?i)\\Logs\\') { 'logs' } else { 'configuration' }
    if (-not (Test-LabDenied $word)) { return $item }
    $refused = [pscustomobject]$seen
    Add-Member -InputObject $refused -MemberType ScriptMethod -Name Open -Value { throw (New-Object UnauthorizedAccessException (Get-LabText 'Denied')) } -PassThru
}
