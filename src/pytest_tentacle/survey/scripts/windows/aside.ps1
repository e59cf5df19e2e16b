# Calls that may hang are made aside, in a runspace of their own, and given up when their time is over: WMI, the event log,
# members of groups, tasks, access lists on a share. A call inside Windows cannot be stopped, only left behind; the next one
# gets a new runspace. It begins as a copy of this one: the same functions and variables.

function Invoke-Aside {
    param([string]$What, [double]$Seconds, [scriptblock]$Call, [object[]]$Argument = @())
    if ($Survey.Hung.ContainsKey($What)) { throw (New-Object TimeoutException $Survey.Hung[$What]) }
    if (-not $Survey['Aside']) { $Survey['Aside'] = New-Aside }
    $shell = [Management.Automation.PowerShell]::Create()
    $shell.Runspace = $Survey.Aside
    $null = $shell.AddScript('param($Text, $Argument) try { @{ Rows = @(& ([ScriptBlock]::Create($Text)) @Argument) } } catch { @{ Failure = $_ } }')
    $null = $shell.AddArgument($Call.ToString()).AddArgument($Argument)
    $running = $shell.BeginInvoke()
    if (-not $running.AsyncWaitHandle.WaitOne([int](1000 * [Math]::Max(0.2, $Seconds)))) {
        $Survey['Aside'] = $null
        $Survey.Hung[$What] = '{0} did not answer within {1:0.#} s' -f $What, $Seconds
        throw (New-Object TimeoutException $Survey.Hung[$What])
    }
    $answer = @($shell.EndInvoke($running))[0]
    $shell.Dispose()
    if ($answer.Failure) { throw $answer.Failure }
    $answer.Rows
}

function New-Aside {
    $runspace = [Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace([Management.Automation.Runspaces.InitialSessionState]::CreateDefault2())
    $runspace.Open()
    # As parsed already, and bound to no session.
    $functions = @{}
    foreach ($function in @(Get-ChildItem -LiteralPath 'Function:\')) {
        if ($function.ScriptBlock.Ast -is [Management.Automation.Language.FunctionDefinitionAst]) { $functions[$function.Name] = $function.ScriptBlock.Ast.Body.GetScriptBlock() }
    }
    $variables = @{}
    foreach ($variable in @(Get-Variable)) { if ([int]$variable.Options -eq 0) { $variables[$variable.Name] = $variable.Value } }
    $shell = [Management.Automation.PowerShell]::Create()
    $shell.Runspace = $runspace
    # One that cannot be copied (a session has functions named as its drives, `C:`) must not cost the others.
    $null = $shell.AddScript('param($Functions, $Variables)
        foreach ($name in $Functions.Keys) { try { $ExecutionContext.InvokeProvider.Item.Set([string[]]@("function:$name"), $Functions[$name], $true, $true) } catch { continue } }
        foreach ($name in $Variables.Keys) { try { $ExecutionContext.SessionState.PSVariable.Set([string]$name, $Variables[$name]) } catch { continue } }')
    $null = $shell.AddArgument($functions).AddArgument($variables).Invoke()
    $shell.Dispose()
    $runspace
}

# Rows of a WMI class. The first query that gets no answer spares the others their waiting: WMI as a whole hangs then.
function Get-WmiRow {
    param([string]$Class, [string]$Filter, [string[]]$Property, [uint32]$Seconds = (Get-QueryPatience), [string]$Namespace)
    $question = @{ ClassName = $Class; Property = $Property; OperationTimeoutSec = $Seconds; ErrorAction = 'Stop' }
    if ($Filter) { $question['Filter'] = $Filter }
    if ($Namespace) { $question['Namespace'] = $Namespace }
    try {
        Invoke-Aside -What 'WMI' -Seconds ($Seconds + 2) -Argument $question -Call { param($Question) Get-CimInstance @Question }
    } catch {
        # Its own time limit (HRESULT 0x40004, "Timed out").
        if ([string]$_.FullyQualifiedErrorId -like 'HRESULT 0x40004,*' -and -not $Survey.Hung.ContainsKey('WMI')) {
            $Survey.Hung['WMI'] = "WMI did not answer within $Seconds s ($Class)"
            throw (New-Object TimeoutException $Survey.Hung['WMI'])
        }
        throw
    }
}
