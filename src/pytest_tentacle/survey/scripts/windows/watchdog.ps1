# Tentacle's watchdog: a task of the Task Scheduler that starts services again (`Tentacle.exe checkservices`).

function Get-WatchdogSection {
    $tasks = @()
    try {
        $tasks = @(Get-ScheduledTask -TaskName 'Octopus Watchdog*' -ErrorAction Stop)
    } catch {
        if ([string]$_.FullyQualifiedErrorId -notlike 'CmdletizationQuery_NotFound*') { throw }
    }
    $Survey.Cache['tasks'] = @($tasks | ForEach-Object { [string]$_.TaskName })
    $words = @{ 1 = 'disabled'; 3 = 'ready'; 4 = 'running' }
    foreach ($task in $tasks) {
        $result = try { (Get-ScheduledTaskInfo -InputObject $task -ErrorAction Stop).LastTaskResult } catch { $null }
        $state = $words[[int]$task.State]
        @{
            name        = [string]$task.TaskName
            state       = if ($state) { $state } else { 'other' }
            last_result = if ($null -ne $result) { [int64]$result } else { $null }
        }
    }
}
