# Get-WinEvent over machine.json's `events`: {"provider", "id", "time_utc", "data": {name: text}, "service", "in_user_data"}.
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '', Justification = 'to stand in for them is the purpose')]
param()

$LabProviders = @{
    'Service Control Manager' = "Name='Service Control Manager' Guid='{555908d1-a6d7-4695-8e1e-26931d2012f4}' EventSourceName='Service Control Manager'"
    'Schannel' = "Name='Schannel' Guid='{1f678132-5938-4686-9fdc-c8ff68f15c85}'"
    'Microsoft-Windows-Servicing' = "Name='Microsoft-Windows-Servicing' Guid='{bd12f3b8-fc40-4a61-a307-b7a013a069c1}'"
    'Microsoft-Windows-Windows Firewall With Advanced Security' = "Name='Microsoft-Windows-Windows Firewall With Advanced Security' Guid='{d1bc9aff-2abf-4d71-9146-ecb2a986eb85}'"
    'Tcpip' = "Name='Tcpip'"
    'Microsoft-Windows-CAPI2' = "Name='Microsoft-Windows-CAPI2' Guid='{5bbca4a8-b209-48dc-a8c7-b23d3e5216fb}' EventSourceName='Microsoft-Windows-CAPI2'"
}

$LabLogs = @{
    'Microsoft-Windows-CAPI2' = 'Application'
    'Microsoft-Windows-Servicing' = 'Setup'
    'Microsoft-Windows-Windows Firewall With Advanced Security' = 'Microsoft-Windows-Windows Firewall With Advanced Security/Firewall'
}

# The newest come first. For a record whose message cannot be put together comes an error as well, whose identifier is the
# system's own sentence in its language; such are 7023 and its like with `%%<number>` (2.14).
function Get-WinEvent {
    [CmdletBinding()]
    [OutputType([object[]])]
    param([hashtable]$FilterHashtable, [long]$MaxEvents = [long]::MaxValue)
    Add-LabCall 'Get-WinEvent' @{ ProviderName = $FilterHashtable.ProviderName; LogName = $FilterHashtable.LogName; MaxEvents = $MaxEvents }
    $class = "$LabCommands.GetWinEventCommand"
    if (Test-LabDenied 'events') {
        $PSCmdlet.ThrowTerminatingError((New-LabUnhandled -Exception (New-Object UnauthorizedAccessException (Get-LabText 'NoAccess')) -Class 'GetWinEventCommand'))
    }
    if (Test-LabMode -Mode 'stopped' -What 'events') {
        $PSCmdlet.ThrowTerminatingError((New-LabUnhandled -Exception (New-Object Diagnostics.Eventing.Reader.EventLogException (Get-LabText 'NoServer')) -Class 'GetWinEventCommand'))
    }
    if (Wait-LabProvider -What 'events', 'Get-WinEvent' -Seconds 0) { return }
    foreach ($provider in @($FilterHashtable.ProviderName | Where-Object { $_ })) {
        if ((Test-LabMode -Mode 'unregistered' -What $provider) -or -not $LabProviders.ContainsKey($provider)) {
            $missing = New-Object Exception ((Get-LabText 'NoProvider') -f $provider)
            $PSCmdlet.WriteError((New-LabError -Id 'NoMatchingProvidersFound' -Class $class -Category ObjectNotFound -Exception $missing -Target $provider))
            return
        }
    }
    $records = @(Get-LabValue 'events' @() | Where-Object { $_ } | ForEach-Object { New-EventShape $_ } | Where-Object {
            (-not $FilterHashtable.ProviderName -or $FilterHashtable.ProviderName -contains $_.ProviderName) -and (-not $FilterHashtable.Id -or $FilterHashtable.Id -contains $_.Id) -and
            (-not $FilterHashtable.LogName -or $FilterHashtable.LogName -eq $_.LogName) -and (-not $FilterHashtable.StartTime -or $_.TimeCreated -ge $FilterHashtable.StartTime)
        } | Sort-Object -Property TimeCreated -Descending | Select-Object -First ([Math]::Min($MaxEvents, [int]::MaxValue)))
    foreach ($record in $records) {
        $record
        if (-not $record.Unreadable) { continue }
        $text = Get-LabText 'NoText'
        $PSCmdlet.WriteError((New-LabError -Id $text -Class $class -Category NotSpecified -Exception (New-Object Diagnostics.Eventing.Reader.EventLogException $text) -Reason 'EventLogException'))
    }
    if (-not $records.Count) {
        $PSCmdlet.WriteError((New-LabError -Id 'NoMatchingEventsFound' -Class $class -Category ObjectNotFound -Exception (New-Object Exception (Get-LabText 'NoEvent'))))
    }
}

# EventLogRecord: the XML has the fields' names, and the service's key name in UTF-16 digits, in either case (7).
function New-EventShape {
    param($Entry)
    $body = ''
    $unreadable = $false
    if ($Entry.data) {
        foreach ($field in $Entry.data.PSObject.Properties) {
            $text = [Security.SecurityElement]::Escape([string]$field.Value)
            $unreadable = $unreadable -or ([int]$Entry.id -eq 7023 -and $text.StartsWith('%%'))
            $body += if ($Entry.in_user_data) { "<$($field.Name)>$text</$($field.Name)>" } else { "<Data Name='$($field.Name)'>$text</Data>" }
        }
    }
    if ($Entry.service -and [int]$Entry.id -ne 7011) {
        $digits = [BitConverter]::ToString([Text.Encoding]::Unicode.GetBytes([string]$Entry.service + [char]0)).Replace('-', '')
        $body += "<Binary>$(if ([int]$Entry.id -eq 7031) { $digits.ToLowerInvariant() } else { $digits })</Binary>"
    }
    $around, $space = if ($Entry.provider -eq 'Microsoft-Windows-Servicing') { 'CbsPackageChangeState', 'http://manifests.microsoft.com/win/2004/08/windows/setup_provider' } else { 'EventXML', 'LSA_NS' }
    $body = if ($Entry.in_user_data) { "<UserData><$around xmlns='$space'>$body</$around></UserData>" } else { "<EventData>$body</EventData>" }
    $time = if ($Entry.time_utc) { ConvertTo-LabTime $Entry.time_utc } else { [datetime]::Now.AddHours(-1) }
    $log = if ($Entry.log) { [string]$Entry.log } elseif ($LabLogs.ContainsKey([string]$Entry.provider)) { $LabLogs[[string]$Entry.provider] } else { 'System' }
    $provider = if ($LabProviders.ContainsKey([string]$Entry.provider)) { $LabProviders[[string]$Entry.provider] } else { "Name='$($Entry.provider)'" }
    $qualifiers = if ($Entry.provider -eq 'Service Control Manager') { " Qualifiers='49152'" } else { '' }
    $utc = $time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'00Z'", [Globalization.CultureInfo]::InvariantCulture)
    $xml = "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider $provider/><EventID$qualifiers>$($Entry.id)</EventID>" +
    "<Level>2</Level><Keywords>0x8080000000000000</Keywords><TimeCreated SystemTime='$utc'/><Channel>$log</Channel></System>$body</Event>"
    $record = [pscustomobject]@{ Id = [int]$Entry.id; ProviderName = [string]$Entry.provider; LogName = $log; TimeCreated = $time; Xml = $xml; Unreadable = $unreadable; Message = $(if ($unreadable) { $null } else { 'text' }) }
    Add-Member -InputObject $record -MemberType ScriptMethod -Name ToXml -Value { $this.Xml } -PassThru
}
