# How the stand-ins refuse, hang and break: machine.json's `denied`, `stopped`, `damaged`, `half` and `hanging` name what
# does (a class, a cmdlet, or one of the words in windows/machine.py). Identifiers are those of real machines; each has a
# row with its source in tests/lab/windows/conformance.yaml.

$LabCommands = 'Microsoft.PowerShell.Commands'

# An error record keeps its identifier to itself until it is thrown; the whole of it is what scripts see.
$LabIdentifier = [Management.Automation.ErrorRecord].GetField('_serializedFullyQualifiedErrorId', [Reflection.BindingFlags]'NonPublic, Instance')

function Add-LabCall {
    param([string]$Command, $Bound)
    $arguments = @{}
    foreach ($key in $Bound.Keys) { $arguments[$key] = [string]$Bound[$key] }
    $line = ConvertTo-Json -InputObject @{ command = $Command; arguments = $arguments } -Compress
    [IO.File]::AppendAllText([IO.Path]::Combine($TentacleLab.Folder, 'commands.log'), $line + "`n")
}

function Test-LabMode {
    param([string]$Mode, [string[]]$What)
    $named = $TentacleLab.Machine.$Mode
    if (-not $named) { return $false }
    foreach ($word in $What) { if ($named -contains $word) { return $true } }
    $false
}

function Test-LabDenied {
    param([string[]]$What)
    Test-LabMode -Mode 'denied' -What $What
}

# A table that `prepare` left beside machine.json: lines of a name, a tab and a text.
function Read-LabTable {
    [OutputType([hashtable])]
    param([string]$Name)
    $table = @{}
    foreach ($line in [IO.File]::ReadAllLines([IO.Path]::Combine($TentacleLab.Folder, $Name))) {
        $at = $line.IndexOf("`t")
        $table[$line.Substring(0, $at)] = $line.Substring($at + 1)
    }
    $table
}

# An optional key of machine.json, or what a healthy machine has.
function Get-LabValue {
    param([string]$Name, $Default)
    if ($null -ne $TentacleLab.Machine.$Name) { $TentacleLab.Machine.$Name } else { $Default }
}

# Class: the second half of the identifier.
function New-LabError {
    param([string]$Id, [string]$Class, [string]$Category, $Exception, $Target, [string]$Reason)
    $record = [Management.Automation.ErrorRecord]::new($Exception, $Id, [Management.Automation.ErrorCategory]$Category, $Target)
    if ($Class -and $LabIdentifier) { $LabIdentifier.SetValue($record, "$Id,$Class") }
    if ($Reason) { $record.CategoryInfo.Reason = $Reason }
    $record
}

# What the runtime itself makes of an exception that a compiled cmdlet lets through (1.5).
function New-LabUnhandled {
    param($Exception, [string]$Class)
    New-LabError -Id $Exception.GetType().FullName -Class "$LabCommands.$Class" -Category NotSpecified -Exception $Exception
}

function New-LabCimError {
    param([string]$Id, [string]$Class, [string]$Category, [string]$Text, $Target)
    New-LabError -Id $Id -Class $Class -Category $Category -Exception (New-Object Microsoft.Management.Infrastructure.CimException $Text) -Target $Target
}

# Of root/StandardCimv2: the Win32 number, with the class as the target (2.1).
function New-LabNetDenial {
    param([string]$Class, [string]$Cmdlet)
    New-LabCimError -Id 'Windows System Error 5' -Class $Cmdlet -Category PermissionDenied -Text (Get-LabText 'Denied') -Target $Class
}

# One for each value without a row, in the value's own type; TargetObject is that value (2.1).
function New-LabNoMatch {
    param([string]$Property, [string]$Cmdlet, [string]$Class, $Value)
    $id = if ($Property) { "CmdletizationQuery_NotFound_$Property" } else { 'CmdletizationQuery_NotFound' }
    $text = if ($Property) { (Get-LabText 'NoMatch') -f $Class, $Property, $Value } else { (Get-LabText 'NoMatchAtAll') -f $Class }
    New-LabError -Id $id -Class $Cmdlet -Category ObjectNotFound -Exception (New-Object LabCimJobException $text) -Target $Value -Reason 'CimJobException'
}

# A provider that hangs waits for ever, and a caller who gave a time is told after it (2.5).
function Wait-LabProvider {
    param([string[]]$What, [uint32]$Seconds)
    if (-not (Test-LabMode -Mode 'hanging' -What $What)) { return $false }
    [Threading.Thread]::Sleep($(if ($Seconds) { [int]$Seconds * 1000 } else { 3600000 }))
    $true
}
