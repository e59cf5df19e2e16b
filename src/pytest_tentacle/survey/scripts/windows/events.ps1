# Entries of the System log that tell why a service or a handshake failed: by the names of their fields, never by their text.

$EventDays = 7

# So many are looked at, and so many go into the document: of services of ours, and of Schannel, where one kind may come by
# the thousand and would hide the others.
$EventLookLimit = 300
$ServiceEventLimit = 60
$SchannelEventLimit = 40
$SchannelKindLimit = 10

$ServiceEvents = 7000, 7001, 7009, 7011, 7022, 7023, 7024, 7031, 7034, 7038, 7041
$SchannelEvents = 36870, 36871, 36874, 36876, 36877, 36878, 36879, 36880, 36881, 36882, 36883, 36884, 36887, 36888

function Get-EventSection {
    $names = @('Octopus') + @($Survey.Cache['services'] | Where-Object { $_ } | ForEach-Object { $_.name })
    $kept = 0
    foreach ($record in @(Get-LogEvent -Provider 'Service Control Manager' -Id $ServiceEvents -Limit $EventLookLimit)) {
        if ($kept -ge $ServiceEventLimit -or -not (Get-SectionSecond)) { break }
        $entry = ConvertTo-EventRecord $record 'service-control-manager'
        if (-not (Test-Mention -Data $entry.data -Name $names)) { continue }
        $kept++
        $entry
    }
    $kept = 0
    $kinds = @{}
    foreach ($record in @(Get-LogEvent -Provider 'Schannel' -Id $SchannelEvents -Limit $EventLookLimit)) {
        $kinds[[string]$record.Id]++
        if ($kinds[[string]$record.Id] -gt $SchannelKindLimit) { continue }
        $kept++
        if ($kept -gt $SchannelEventLimit -or -not (Get-SectionSecond)) { break }
        ConvertTo-EventRecord $record 'schannel'
    }
}

# The newest ones. No event is an error of its own, a provider that never wrote one another.
function Get-LogEvent {
    param([string]$Provider, [int[]]$Id, [int]$Limit)
    $filter = @{ LogName = 'System'; ProviderName = $Provider; Id = $Id; StartTime = [datetime]::Now.AddDays(-$EventDays) }
    try {
        Get-WinEvent -FilterHashtable $filter -MaxEvents $Limit -ErrorAction Stop
    } catch {
        $word = [string]$_.FullyQualifiedErrorId
        if ($word -notlike 'NoMatchingEventsFound*' -and $word -notlike 'NoMatchingProvidersFound*') { throw }
    }
}

function ConvertTo-EventRecord {
    param($Record, [string]$Source)
    @{ source = $Source; id = [int]$Record.Id; time_utc = ConvertTo-UtcText $Record.TimeCreated; data = Get-EventData ([string]$Record.ToXml()) }
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
