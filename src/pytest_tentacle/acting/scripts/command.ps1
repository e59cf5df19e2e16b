# Runs one command that a person has seen and agreed to. Windows PowerShell 4.0 to 7. It stands behind the last line, with
# the rest of the request, as one quoted text.
& {
param([string]$Data)

function Write-Mark {
    param([string]$Word, [string]$Text)
    $lines = "`n-----ACT $($Request.nonce) $Word-----`n" + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes([string]$Text)) + "`n"
    $bytes = [Text.Encoding]::ASCII.GetBytes($lines)
    $Output.Write($bytes, 0, $bytes.Length)
    $Output.Flush()
}

# A program's exit code; 1 where a command of PowerShell's own failed. What a program writes on stderr stays there: 5.1
# takes it for a failure where it is redirected.
function Invoke-Agreed {
    param([string]$Command)
    $global:LASTEXITCODE = 0
    try {
        $said = & ([ScriptBlock]::Create($Command)) | Out-String
        @{ Code = [int]$global:LASTEXITCODE; Said = [string]$said }
    } catch {
        @{ Code = 1; Said = $_.FullyQualifiedErrorId + ': ' + $_.Exception.GetBaseException().Message }
    }
}

$ErrorActionPreference = 'Stop'
foreach ($stream in 'Progress', 'Warning', 'Verbose', 'Debug', 'Information') {
    Set-Variable -Name ($stream + 'Preference') -Value 'SilentlyContinue'
}
$Output = [Console]::OpenStandardOutput()
$Request = ConvertFrom-Json -InputObject $Data
Write-Mark "BEGIN $($Request.number)"
$answer = Invoke-Agreed $Request.command
Write-Mark "END $($Request.number) $($answer.Code)" $answer.Said
Write-Mark 'DONE'
}
