# Surveys this machine: reads, and changes nothing. Windows PowerShell 5.1 and 7, no module from outside, nothing on disk.
# windows.py puts the functions of windows_parts/ in the place of the marker line. The request is data, never code.
param([string]$Nonce, [string]$Data)

# <parts>

# What all functions share: the request, the time since the start, and what one section has read for the others.
$Survey = @{ Request = (ConvertFrom-Json -InputObject $Data); Clock = [Diagnostics.Stopwatch]::StartNew(); Cache = @{} }
$Survey['Budget'] = [double]$Survey.Request.budget_seconds

# A section of the document is one line here and one function: it gives the section's data, or throws.
$Sections = @(
    @{ Name = 'host'; Read = { Get-HostSection } }
    @{ Name = 'services'; Read = { Get-ServiceSection }; IsList = $true }
    @{ Name = 'instances'; Read = { Get-InstanceSection }; IsList = $true }
    @{ Name = 'listeners'; Read = { Get-ListenerSection }; IsList = $true }
)

$Document = @{}
foreach ($section in $Sections) {
    $Document[$section.Name] = if ($Survey.Request.gather) { Read-Section @section } else { @{ unknown = 'not asked for' } }
}
$Document['probes'] = @(Invoke-Probing -Target @(Get-ProbeTarget))
Write-Document -Nonce $Nonce -Document $Document

# The bootstrap runs nothing that does not end with the next line: unpacking alone does not notice what was cut off.
# <end>
