# Makes a PowerShell on Linux look like one of the lab's Windows machines to a script that only reads. Functions win over
# cmdlets of the same name; each answers from machine.json and leaves a line in commands.log. Not part of the product's
# way: it is dot-sourced in front of the product's own command, which knows nothing of it.
$TentacleLab = @{
    Machine  = ConvertFrom-Json -InputObject (Get-Content -LiteralPath $env:TENTACLE_LAB_MACHINE -Raw -Encoding UTF8)
    Folder   = [IO.Path]::GetDirectoryName($env:TENTACLE_LAB_MACHINE)
}
. ([IO.Path]::Combine($PSScriptRoot, 'types.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'shapes.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'failures.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'answers.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'network.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'surroundings.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'events.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'access.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'registry.ps1'))
. ([IO.Path]::Combine($PSScriptRoot, 'files.ps1'))
$TentacleLab['Registry'] = Read-LabTable 'registry.tsv'
$TentacleLab['KeyAccess'] = Read-LabTable 'key-files.tsv'
$TentacleLab['Sids'] = Read-LabTable 'accounts.tsv'
$null = New-PSDrive -Name C -PSProvider FileSystem -Root ([IO.Path]::Combine($TentacleLab.Folder, 'files', 'C')) -Scope Global

# What a machine does not have is not there at all: machine.json's `absent`, the module TLS where its `tls` says so, and on
# Server 2012 R2, or in its PowerShell 4.0, this and the module LocalAccounts.
$LabAbsent = @($TentacleLab.Machine.absent)
$LabOld = [string]$TentacleLab.Machine.build -eq '9600'
if ($LabOld -or ($TentacleLab.Machine.tls -and $TentacleLab.Machine.tls.cmdlets -eq $false)) { $LabAbsent += 'Get-TlsCipherSuite', 'Get-TlsEccCurve' }
if ($LabOld) { $LabAbsent += 'Get-LocalGroupMember' }
foreach ($name in @($LabAbsent | Where-Object { $_ })) { $ExecutionContext.InvokeProvider.Item.Remove("function:$name", $false) }
