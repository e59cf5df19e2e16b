# Makes a PowerShell on Linux look like one of the lab's Windows machines to a script that only reads. Functions win over
# cmdlets of the same name; each answers from machine.json and leaves a line in commands.log. Not part of the product's
# way: it is dot-sourced in front of the product's own command, which knows nothing of it.
$TentacleLab = @{
    Machine  = ConvertFrom-Json -InputObject (Get-Content -LiteralPath $env:TENTACLE_LAB_MACHINE -Raw -Encoding UTF8)
    Folder   = [IO.Path]::GetDirectoryName($env:TENTACLE_LAB_MACHINE)
    Registry = @{}
}
. ([IO.Path]::Combine($PSScriptRoot, 'shapes.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'answers.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'surroundings.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'access.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'registry.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'files.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'types.ps1'))
Initialize-LabRegistry
$null = New-PSDrive -Name C -PSProvider FileSystem -Root ([IO.Path]::Combine($TentacleLab.Folder, 'files', 'C')) -Scope Global
