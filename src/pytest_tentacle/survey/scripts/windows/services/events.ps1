# Entries of the System log that tell why a service or a handshake failed: by the names of their fields, never by their text.

$EventDays = 7

# So many are looked at, and so many go into the document: of services of ours, and of Schannel, where one kind may come by
# the thousand and would hide the others.
$EventLookLimit = 300
$ServiceEventLimit = 60
$SchannelEventLimit = 40
$SchannelKindLimit = 10

# A question may name some twenty at most.
$ServiceEvents = 7000, 7001, 7003, 7009, 7011, 7022, 7023, 7024, 7031, 7034, 7038, 7040, 7041, 7045
$SchannelEvents = 36870, 36871, 36874, 36876, 36877, 36878, 36879, 36880, 36881, 36882, 36883, 36884, 36887, 36888

# Of the network stack: no port was left for a connection (4227, 4231), another machine has an address of this one (4199).
$NetworkEvents = 4199, 4227, 4231
$NetworkEventLimit = 10

# Failed looks for the lists of trusted and of forbidden roots (CAPI2, in the log Application).
$RootListEvents = 4107, 4110
$RootListLimit = 10

function Get-EventSection {
    $names = @('Octopus', 'Tentacle') + @($Survey.Cache['services'] | Where-Object { $_ } | ForEach-Object { $_.name })
    $question = @{ Log = 'System'; Provider = 'Service Control Manager'; Source = 'service-control-manager'; Id = $ServiceEvents }
    $kept = 0
    foreach ($entry in @(Get-LogEntry $question)) {
        if ($kept -ge $ServiceEventLimit) { break }
        if (-not (Test-Mention -Data $entry.data -Name $names)) { continue }
        $kept++
        $entry
    }
    $kinds = @{}
    $kept = 0
    foreach ($entry in @(Get-LogEntry @{ Log = 'System'; Provider = 'Schannel'; Source = 'schannel'; Id = $SchannelEvents })) {
        $kinds[[string]$entry.id]++
        if ($kinds[[string]$entry.id] -gt $SchannelKindLimit) { continue }
        $kept++
        if ($kept -gt $SchannelEventLimit) { break }
        $entry
    }
    $lists = @{ Log = 'Application'; Provider = 'Microsoft-Windows-CAPI2'; Source = 'capi2'; Id = $RootListEvents }
    $network = @{ Log = 'System'; Provider = 'Tcpip'; Source = 'tcpip'; Id = $NetworkEvents }
    # What matters most was told already; these are a help, and no reason to throw that away.
    try { Get-LogEntry $network | Select-Object -First $NetworkEventLimit } catch { $null = $_ }
    try { Get-LogEntry $lists | Select-Object -First $RootListLimit } catch { return }
}

function Get-LogEntry {
    param([hashtable]$Question)
    $days = if ($Question.Days) { $Question.Days } else { $EventDays }
    $Question['Start'] = [datetime]::Now.AddDays(-$days)
    Invoke-Aside -What 'the event log' -Seconds ([Math]::Max(2, (Get-SectionSecond))) -Argument $Question -Call { param($Question) Read-LogEntry $Question }
}

# The newest ones. The provider is compared here: in the question it costs a look at all providers, and one that is not
# registered refuses it. An entry whose text Windows cannot put together comes all the same, with an error beside it
# whose identifier is a sentence in the machine's language: text is not asked for, so that error is nothing to us. An error
# without any entry is the reason why there are none, unless it says just that.
function Read-LogEntry {
    param([hashtable]$Question)
    $filter = @{ LogName = $Question.Log; Id = [int[]]$Question.Id; StartTime = $Question.Start }
    $limit = if ($Question.Limit) { $Question.Limit } else { $EventLookLimit }
    $missed = $null
    $records = @(Get-WinEvent -FilterHashtable $filter -MaxEvents $limit -ErrorAction SilentlyContinue -ErrorVariable missed)
    if (-not $records.Count) {
        foreach ($failure in @($missed)) { if ([string]$failure.FullyQualifiedErrorId -notlike 'NoMatchingEventsFound,*') { throw $failure } }
    }
    foreach ($record in $records) {
        if ([string]$record.ProviderName -ne $Question.Provider) { continue }
        @{ source = $Question.Source; id = [int]$record.Id; time_utc = ConvertTo-UtcText $record.TimeCreated; data = Get-EventData ([string]$record.ToXml()) }
    }
}

# EventData's fields by name, or UserData's elements. `service` is the key name of the service that an entry of the service
# controller holds in its binary part.
function Get-EventData {
    param([string]$Text)
    $data = @{}
    $xml = New-Object Xml.XmlDocument
    $xml.XmlResolver = $null
    $xml.LoadXml($Text)
    $number = 1
    foreach ($node in @($xml.GetElementsByTagName('EventData') | ForEach-Object { $_.ChildNodes })) {
        if ($node.LocalName -eq 'Binary') {
            $service = ConvertFrom-EventBinary $node.InnerText
            if ($service) { $data['service'] = $service }
            continue
        }
        $name = $node.GetAttribute('Name')
        if (-not $name) { $name = "param$number" }
        $number++
        $data[$name] = Limit-Text $node.InnerText
    }
    foreach ($node in @($xml.GetElementsByTagName('UserData') | ForEach-Object { $_.ChildNodes } | ForEach-Object { $_.ChildNodes })) {
        if ($node.LocalName -ne '#text') { $data[$node.LocalName] = Limit-Text $node.InnerText }
    }
    $data
}

function Limit-Text {
    param([string]$Text)
    if ($Text.Length -gt 300) { $Text.Substring(0, 300) } else { $Text }
}

# UTF-16 in hexadecimal digits, with a zero at its end.
function ConvertFrom-EventBinary {
    param([string]$Hex)
    if (-not $Hex -or $Hex.Length % 4 -or $Hex -notmatch '^[0-9A-Fa-f]+$') { return '' }
    $bytes = New-Object byte[] ($Hex.Length / 2)
    for ($at = 0; $at -lt $bytes.Length; $at++) { $bytes[$at] = [Convert]::ToByte($Hex.Substring($at * 2, 2), 16) }
    Limit-Text ([Text.Encoding]::Unicode.GetString($bytes).TrimEnd([char]0))
}

function Test-Mention {
    param([hashtable]$Data, [string[]]$Name)
    foreach ($value in $Data.Values) {
        foreach ($text in $Name) { if ($value.IndexOf($text, [StringComparison]::OrdinalIgnoreCase) -ge 0) { return $true } }
    }
    $false
}
