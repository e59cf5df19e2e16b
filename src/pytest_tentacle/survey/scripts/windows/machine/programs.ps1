# The one place that starts programs: the products' own `help`, and netsh, which is only asked to show. Each gets a time
# limit, both its outputs are read while it runs, or it might wait for us, and it finds the end of its input at once.

# `By` is dotnet, where the program is a library for it: found as for the service itself, by its path or that of the machine.
function Start-Program {
    param($Item, [string]$Arguments, [string]$By)
    $start = New-Object Diagnostics.ProcessStartInfo
    $start.FileName = if ($By) { $By } else { $Item.FullName }
    $start.Arguments = if ($By) { '"{0}" {1}' -f $Item.FullName, $Arguments } else { $Arguments }
    $start.WorkingDirectory = $Item.DirectoryName
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $process = [Diagnostics.Process]::Start($start)
    $process.StandardInput.Close()
    $readers = [Threading.Tasks.Task[]]@($process.StandardOutput.ReadToEndAsync(), $process.StandardError.ReadToEndAsync())
    @{ Process = $process; Clock = $clock; Readers = $readers }
}

# ExitCode is $null where it did not end in time; it is ended then. Text is what it printed.
function Wait-Program {
    param([hashtable]$Program, [double]$Seconds)
    try {
        $ended = $Program.Process.WaitForExit([int]($Seconds * 1000))
        $took = [Math]::Round($Program.Clock.Elapsed.TotalMilliseconds, 1)
        if (-not $ended) {
            $Program.Process.Kill()
            return @{ ExitCode = $null; Milliseconds = $took; Seconds = $Seconds; Text = '' }
        }
        $read = [Threading.Tasks.Task]::WaitAll($Program.Readers, 1000)
        $text = if ($read) { [string]$Program.Readers[0].Result } else { '' }
        @{ ExitCode = [int64]$Program.Process.ExitCode; Milliseconds = $took; Seconds = $Seconds; Text = $text }
    } finally {
        $Program.Process.Dispose()
    }
}
