# What stands on the command line: says why when it cannot run, else unpacks script and request from stdin and runs them.
# windows.py puts `$Nonce = '...'` in front and leaves out these comment lines: the whole has to fit into 8,191 characters.
# Until the language mode is known, nothing may be used that constrained language refuses: no methods, no [Console].
# No use of the automatic variable for pipeline input either: it makes powershell.exe read stdin itself.
$version = $PSVersionTable.PSVersion
if ("$($ExecutionContext.SessionState.LanguageMode)" -ne 'FullLanguage') {
    Write-Output "-----SURVEY REFUSED $Nonce constrained-language-----"
} elseif ($version.Major -lt 5 -or ($version.Major -eq 5 -and $version.Minor -lt 1)) {
    Write-Output "-----SURVEY REFUSED $Nonce powershell-too-old-----"
    Write-Output "PowerShell $version"
} else {
    $ErrorActionPreference = 'Stop'
    foreach ($stream in 'Progress', 'Warning', 'Verbose', 'Debug', 'Information') {
        Set-Variable -Name "${stream}Preference" -Value 'SilentlyContinue'
    }
    $unpack = {
        param($Text)
        $packed = New-Object IO.MemoryStream (, [Convert]::FromBase64String($Text))
        $plain = New-Object IO.Compression.GZipStream ($packed, [IO.Compression.CompressionMode]::Decompress)
        (New-Object IO.StreamReader ($plain, [Text.Encoding]::UTF8)).ReadToEnd()
    }
    $script = $data = ''
    try {
        $script = & $unpack ([Console]::In.ReadLine())
        $data = & $unpack ([Console]::In.ReadLine())
    } catch {
        Write-Output "$($_.FullyQualifiedErrorId): $($_.Exception.Message)"
    }
    if (-not $script.EndsWith('# <end>') -or -not $data.EndsWith('}')) {
        Write-Output "-----SURVEY REFUSED $Nonce request-cut-off-----"
    } else {
        try {
            & ([ScriptBlock]::Create($script)) $Nonce $data
        } catch {
            Write-Output "-----SURVEY REFUSED $Nonce script-failed-----"
            Write-Output "$($_.FullyQualifiedErrorId): $($_.Exception.Message)"
        }
    }
}
