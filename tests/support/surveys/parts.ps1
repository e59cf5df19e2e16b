# Lets a survey read the sections alone that TESTED_SECTIONS names; without it nothing changes. An alias goes before the
# script's own function of that name: the script stays the same text, of which an engine keeps what it compiled.
if ($env:TESTED_SECTIONS) {
    $TestedSections = $env:TESTED_SECTIONS -split ','
    function Read-TestedTable {
        param([object[]]$Table)
        & ${function:Read-SectionTable} @($Table | Where-Object { $TestedSections -contains $_.Name })
    }
    function Start-TestedWaiting {
        foreach ($name in @($WaitingStarts.Keys)) { if ($TestedSections -notcontains $name) { $WaitingStarts.Remove($name) } }
        & ${function:Start-Waiting}
    }
    function Get-TestedTarget { if ($TestedSections -contains 'probes') { & ${function:Get-ProbeTarget} } }
    Set-Alias -Name Read-SectionTable -Value Read-TestedTable
    Set-Alias -Name Start-Waiting -Value Start-TestedWaiting
    Set-Alias -Name Get-ProbeTarget -Value Get-TestedTarget
}
