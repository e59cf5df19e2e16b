# What may have changed lately, with its time: the file of names and the products' programs, updates of Windows by the log of
# servicing, and rules of its firewall by that one's own log. Win32_QuickFixEngineering knows days alone and not all updates,
# and may take long. What one of them does not tell is told as such, and costs the others nothing.

$ChangeDays = 45
$UpdateLimit = 60

# So many are looked at: programs of the Store bring rules by the dozen.
$RuleLookLimit = 60
$RuleLimit = 20

# States of a package in event 2, "was successfully changed to".
$PackageStates = @{ '5000' = 'removed'; '5112' = 'installed' }

# The same in Windows Server 2008 R2 to 2019, 2022, and Windows 11 and Server 2025.
$RuleActions = @{ 2004 = 'added'; 2071 = 'added'; 2097 = 'added'; 2005 = 'changed'; 2073 = 'changed'; 2099 = 'changed'; 2006 = 'removed'; 2052 = 'removed'; 2003 = 'profile'; 2082 = 'profile' }
$FirewallSource = 'Microsoft-Windows-Windows Firewall With Advanced Security'

function Get-ChangeSection {
    $unread = @()
    $updates = try { @(Get-UpdateChange) } catch { $unread += "updates of Windows: $(Get-Reason $_)"; @() }
    $rules = try { @(Get-RuleChange) } catch { $unread += "changes of the firewall's rules: $(Get-Reason $_)"; @() }
    @{ files = @(Get-WrittenFile); updates = @($updates); rules = @($rules); unread = @($unread) }
}

function Get-WrittenFile {
    $programs = @(try { Get-ProductExecutable } catch { $null })
    $paths = @("$env:SystemRoot\System32\drivers\etc\hosts") + @($programs | Where-Object { $_ } | ForEach-Object { $_.Path })
    foreach ($path in $paths) {
        try { @{ path = $path; modified_utc = ConvertTo-UtcText (Get-Item -LiteralPath $path -Force -ErrorAction Stop).LastWriteTimeUtc } } catch { continue }
    }
}

function Get-UpdateChange {
    $question = @{ Log = 'Setup'; Provider = 'Microsoft-Windows-Servicing'; Source = 'servicing'; Id = 2; Days = $ChangeDays; Limit = $UpdateLimit }
    foreach ($entry in @(Get-LogEntry $question)) {
        $action = $PackageStates[[string]$entry.data['IntendedPackageState']]
        if ($action -and @('', '0x0') -contains [string]$entry.data['ErrorCode']) { @{ name = [string]$entry.data['PackageIdentifier']; action = $action; time_utc = $entry.time_utc } }
    }
}

# Rules of TCP that let in or block ports of ours; of a rule that was removed only its name is known. A name that begins with
# @ is a resource of Windows' own rules.
function Get-RuleChange {
    $question = @{ Log = "$FirewallSource/Firewall"; Provider = $FirewallSource; Source = 'firewall'; Id = @($RuleActions.Keys); Days = $ChangeDays; Limit = $RuleLookLimit }
    $ports = @(Get-PortOfInterest)
    $programs = @(Get-KnownList 'services' | Where-Object { $_.executable } | ForEach-Object { $_.executable })
    $kept = 0
    foreach ($entry in @(Get-LogEntry $question)) {
        $action, $data = $RuleActions[$entry.id], $entry.data
        if ($kept -ge $RuleLimit) { break }
        $local = @([string]$data['LocalPorts'] -split ',' | Where-Object { $_ -and $_ -ne '*' })
        if ($action -ne 'profile') {
            if ([string]$data['RuleName'] -match '^(@|$)') { continue }
            if ($action -ne 'removed') {
                $rule = @{ Protocol = [string]$data['Protocol']; Ports = $local; Program = [string]$data['ApplicationPath']; Conditional = [bool]$data['ServiceName'] }
                if ([string]$data['Direction'] -ne '1' -or -not (Test-FirewallRule -Rule $rule -Ports $ports -Programs $programs)) { continue }
            }
        }
        $kept++
        @{
            action = $action; time_utc = $entry.time_utc; name = $(if ($action -eq 'profile') { [string]$data['Profiles'] } else { [string]$data['RuleName'] }); ports = $local
            verdict = $(switch ([string]$data['Action']) { '2' { 'block' } '3' { 'allow' } default { $null } }); active = $(if ($null -ne $data['Active']) { [string]$data['Active'] -eq '1' } else { $null })
        }
    }
}
