# The cmdlets of root/StandardCimv2, and netstat. They share the rules of all CDXML cmdlets: rows first, then an error for
# each asked value without a row; silence where nothing was asked for.
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '', Justification = 'to stand in for them is the purpose')]
param()

# What any machine has besides: a listener of its own for both families, a connection that waits for its end (whose process
# is 0), and, beside each connection that it opened, a bound row of the same port (2.2).
function Get-LabSocket {
    $own = @($TentacleLab.Machine.sockets | Where-Object { $_ })
    [pscustomobject]@{ address = '::'; port = 49672; pid = 700; state = 'listen' }
    $own
    [pscustomobject]@{ address = '10.0.0.5'; port = 50123; pid = 0; state = 'time-wait'; remote_address = '10.0.0.9'; remote_port = 443 }
    $listening = @($own | Where-Object { $_.state -eq 'listen' } | ForEach-Object { $_.port })
    foreach ($socket in $own) {
        if ($socket.state -eq 'established' -and $listening -notcontains $socket.port) { [pscustomobject]@{ address = $socket.address; port = $socket.port; pid = $socket.pid; state = 'bound' } }
    }
}

function Get-NetTCPConnection {
    [CmdletBinding()]
    [OutputType([object[]])]
    param([string[]]$State, [uint16[]]$LocalPort, [uint16[]]$RemotePort)
    Add-LabCall 'Get-NetTCPConnection' $PSBoundParameters
    if (Test-LabDenied 'sockets') { $PSCmdlet.WriteError((New-LabNetDenial -Class 'MSFT_NetTCPConnection' -Cmdlet 'Get-NetTCPConnection')); return }
    if (Test-LabMode -Mode 'stopped' -What 'sockets') {
        $PSCmdlet.WriteError((New-LabCimError -Id 'HRESULT 0x800706ba' -Class 'Get-NetTCPConnection' -Category NotSpecified -Text (Get-LabText 'NoServer') -Target 'MSFT_NetTCPConnection'))
        return
    }
    if (Wait-LabProvider -What 'sockets', 'Get-NetTCPConnection' -Seconds 0) { return }
    $numbers = @{ Closed = 1; Listen = 2; SynSent = 3; Established = 5; CloseWait = 8; TimeWait = 11; Bound = 100 }
    $asked = [ordered]@{}
    if ($State) { $asked['State'] = @($State | ForEach-Object { [byte]$numbers[$_] }) }
    if ($LocalPort) { $asked['LocalPort'] = $LocalPort }
    if ($RemotePort) { $asked['RemotePort'] = $RemotePort }
    $rows = @(Get-LabSocket | ForEach-Object { New-ConnectionShape $_ } | Where-Object {
            $row = $_
            @($asked.Keys | Where-Object { $asked[$_] -notcontains $row.$_ }).Count -eq 0
        })
    $rows
    if (Test-LabMode -Mode 'half' -What 'sockets') {
        $PSCmdlet.WriteError((New-LabCimError -Id 'HRESULT 0x80041033' -Class 'Get-NetTCPConnection' -Category NotSpecified -Text (Get-LabText 'NoServer') -Target 'MSFT_NetTCPConnection'))
    } elseif ($asked.Count -eq 1) {
        $property = @($asked.Keys)[0]
        foreach ($value in $asked[$property]) {
            if (@($rows | Where-Object { $_.$property -eq $value }).Count) { continue }
            $PSCmdlet.WriteError((New-LabNoMatch -Property $property -Cmdlet 'Get-NetTCPConnection' -Class 'MSFT_NetTCPConnection' -Value $value))
        }
    } elseif ($asked.Count -gt 1 -and -not $rows.Count) {
        $PSCmdlet.WriteError((New-LabNoMatch -Cmdlet 'Get-NetTCPConnection' -Class 'MSFT_NetTCPConnection'))
    }
}

# All addresses: those of an adapter without a cable too (tentative), and one that a cluster keeps for itself (2.3).
function Get-NetIPAddress {
    [CmdletBinding()]
    param()
    Add-LabCall 'Get-NetIPAddress' $PSBoundParameters
    if (Test-LabDenied 'addresses') { $PSCmdlet.WriteError((New-LabNetDenial -Class 'MSFT_NetIPAddress' -Cmdlet 'Get-NetIPAddress')); return }
    if (Wait-LabProvider -What 'addresses', 'Get-NetIPAddress' -Seconds 0) { return }
    New-AddressShape -Address '169.254.17.3' -State 1
    New-AddressShape -Address 'fe80::4d2:17ff:fe3a:1%12' -State 4
    foreach ($address in @('127.0.0.1', '::1') + @($TentacleLab.Machine.addresses)) { New-AddressShape -Address $address -State 4 }
    foreach ($address in @(Get-LabValue 'cluster_addresses' @())) { New-AddressShape -Address $address -State 4 -Skipped }
}

function New-AddressShape {
    param([string]$Address, [uint16]$State, [switch]$Skipped)
    [pscustomobject]@{
        IPAddress = $Address; InterfaceAlias = 'Ethernet0'; InterfaceIndex = [uint32]12; AddressFamily = [uint16]$(if ($Address -match ':') { 23 } else { 2 })
        PrefixLength = [byte]8; PrefixOrigin = [uint16]1; SuffixOrigin = [uint16]1; AddressState = $State; SkipAsSource = [bool]$Skipped
    }
}

# The address to speak from, then the route; `routes` of the machine says of an address why there is none (a Win32 number), or
# its next hop. No Windows was at hand: the two objects are documented, the error's number is inferred.
function Find-NetRoute {
    [CmdletBinding()]
    param([string]$RemoteIPAddress)
    Add-LabCall 'Find-NetRoute' $PSBoundParameters
    if (Test-LabDenied 'routes') { $PSCmdlet.WriteError((New-LabNetDenial -Class 'MSFT_NetRoute' -Cmdlet 'Find-NetRoute')); return }
    if (Wait-LabProvider -What 'routes', 'Find-NetRoute' -Seconds 0) { return }
    $way = @(Get-LabValue 'routes' @()) | Where-Object { $_.address -eq $RemoteIPAddress } | Select-Object -First 1
    if ($way.error) {
        $PSCmdlet.WriteError((New-LabCimError -Id "Windows System Error $($way.error)" -Class 'Find-NetRoute' -Category NotSpecified -Text (Get-LabText 'NoServer') -Target 'MSFT_NetRoute'))
        return
    }
    $six = $RemoteIPAddress -match ':'
    $own = @($TentacleLab.Machine.addresses | Where-Object { ($_ -match ':') -eq $six }) + @($(if ($six) { '::1' } else { '127.0.0.1' })) | Select-Object -First 1
    New-AddressShape -Address $own -State 4
    [pscustomobject]@{
        DestinationPrefix = if ($six) { '::/0' } else { '0.0.0.0/0' }; InterfaceAlias = 'Ethernet0'; InterfaceIndex = [uint32]12
        NextHop = if ($way.via) { $way.via } elseif ($six) { '::' } else { '0.0.0.0' }; RouteMetric = [uint16]256; Store = [byte]1
    }
}

# MSFT_NetNeighbor: the state is a number, 0 unreachable to 6 permanent.
function Get-NetNeighbor {
    [CmdletBinding()]
    param()
    Add-LabCall 'Get-NetNeighbor' $PSBoundParameters
    if (Test-LabDenied 'neighbours') { $PSCmdlet.WriteError((New-LabNetDenial -Class 'MSFT_NetNeighbor' -Cmdlet 'Get-NetNeighbor')); return }
    if (Wait-LabProvider -What 'neighbours', 'Get-NetNeighbor' -Seconds 0) { return }
    foreach ($row in @(Get-LabValue 'neighbours' @())) {
        [pscustomobject]@{ IPAddress = $row.address; InterfaceIndex = [uint32]12; InterfaceAlias = 'Ethernet0'; LinkLayerAddress = '00-15-5D-01-02-03'; State = [byte]$row.state }
    }
}

# MSFT_NetConnectionProfile (3.1): 0 public, 1 private, 2 of a domain; one row for each connected network, and silence without.
function Get-NetConnectionProfile {
    [CmdletBinding()]
    param()
    Add-LabCall 'Get-NetConnectionProfile' $PSBoundParameters
    if (Test-LabDenied 'networks') { $PSCmdlet.WriteError((New-LabNetDenial -Class 'MSFT_NetConnectionProfile' -Cmdlet 'Get-NetConnectionProfile')); return }
    if (Test-LabMode -Mode 'stopped' -What 'networks') {
        $PSCmdlet.WriteError((New-LabCimError -Id 'HRESULT 0x80070422' -Class 'Get-NetConnectionProfile' -Category NotSpecified -Text (Get-LabText 'Disabled') -Target 'MSFT_NetConnectionProfile'))
        return
    }
    if (Wait-LabProvider -What 'networks', 'Get-NetConnectionProfile' -Seconds 0) { return }
    $numbers = @{ public = 0; private = 1; domain = 2 }
    foreach ($network in @(Get-LabValue 'networks' @('domain'))) {
        [pscustomobject]@{ InterfaceAlias = 'Ethernet0'; Name = 'lab.example'; NetworkCategory = [uint32]$numbers[[string]$network]; IPv4Connectivity = [uint32]4 }
    }
}

# The program by its full path: a function may bear such a name.
function C:\Windows\System32\netstat.exe {
    Add-LabCall 'netstat.exe' @{ arguments = "$args" }
    if (Test-LabDenied 'netstat') { return }
    ''
    Get-LabText 'Head'
    ''
    Get-LabText 'Columns'
    Get-LabSocket | Where-Object { $_.state -ne 'bound' } | ForEach-Object { New-NetstatLine $_ }
    '  UDP    0.0.0.0:123            *:*                                    1440'
}

# Test-NetConnection (module NetTCPIP): a connection attempt and, where that fails, a ping; what went wrong is a warning.
function Test-NetConnection {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string]$ComputerName, [int]$Port)
    Add-LabCall 'Test-NetConnection' $PSBoundParameters
    $address, $connected = $null, $false
    try {
        $literal = $ComputerName -as [ipaddress]
        $address = if ($literal) { $literal } else { @([Net.Dns]::GetHostAddressesAsync($ComputerName).Result)[0] }
        $client = New-Object Net.Sockets.TcpClient $address.AddressFamily
        try { $connected = $client.ConnectAsync($address, $Port).Wait(3000) } finally { $client.Dispose() }
    } catch {
        Write-Warning "TCP connect to (${ComputerName} : $Port) failed"
    }
    [pscustomobject]@{
        ComputerName = $ComputerName; RemoteAddress = $address; ResolvedAddresses = @($address); PingSucceeded = $connected
        PingReplyDetails = $null; TcpClientSocket = $null; TcpTestSucceeded = $connected; RemotePort = $Port; TraceRoute = $null
        Detailed = $false; InterfaceAlias = 'Ethernet'; InterfaceIndex = [uint32]12; SourceAddress = $null; NameResolutionSucceeded = $null -ne $address
    }
}
