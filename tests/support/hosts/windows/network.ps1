# A Windows host of the lab of hosts: the embedded lab's stand-ins, but for routes and neighbours, which are those of
# the network namespace that this engine runs in.
. $env:LAB_PRELUDE

# As `ip route get` says: `10.10.1.10 via 10.10.2.1 dev eth0 src 10.10.2.31 uid 0`. Windows has but one word for no route.
function Find-NetRoute {
    [CmdletBinding()]
    param([string]$RemoteIPAddress)
    Add-LabCall 'Find-NetRoute' $PSBoundParameters
    $told = [string]@(& ip -o route get $RemoteIPAddress 2>$null)[0]
    if ($told -notmatch '\bdev (\S+)') {
        $PSCmdlet.WriteError((New-LabCimError -Id 'Windows System Error 1231' -Class 'Find-NetRoute' -Category NotSpecified -Text 'The network location cannot be reached.' -Target 'MSFT_NetRoute'))
        return
    }
    $device = if ($Matches[1] -eq 'lo') { 'Loopback Pseudo-Interface 1' } else { "Ethernet $($Matches[1])" }
    $six = $RemoteIPAddress -match ':'
    $via = if ($told -match '\bvia (\S+)') { $Matches[1] } elseif ($six) { '::' } else { '0.0.0.0' }
    if ($told -match '\bsrc (\S+)') { New-AddressShape -Address $Matches[1] -State 4 }
    [pscustomobject]@{
        DestinationPrefix = if ($six) { '::/0' } else { '0.0.0.0/0' }; InterfaceAlias = $device; InterfaceIndex = [uint32]12
        NextHop = $via; RouteMetric = [uint16]256; Store = [byte]1
    }
}

# At the time when it is asked: a neighbour that did not answer is known after the looks alone.
function Get-NetNeighbor {
    [CmdletBinding()]
    param()
    Add-LabCall 'Get-NetNeighbor' $PSBoundParameters
    $numbers = @{ FAILED = 0; INCOMPLETE = 1; PROBE = 2; DELAY = 3; STALE = 4; REACHABLE = 5; PERMANENT = 6 }
    foreach ($line in @(& ip neighbour)) {
        if ($line -notmatch '^(\S+) dev (\S+)(?: lladdr (\S+))?.* ([A-Z]+)\s*$' -or -not $numbers.ContainsKey($Matches[4])) { continue }
        [pscustomobject]@{
            IPAddress = $Matches[1]; InterfaceIndex = [uint32]12; InterfaceAlias = "Ethernet $($Matches[2])"
            LinkLayerAddress = ([string]$Matches[3]).ToUpperInvariant().Replace(':', '-'); State = [byte]$numbers[$Matches[4]]
        }
    }
}
