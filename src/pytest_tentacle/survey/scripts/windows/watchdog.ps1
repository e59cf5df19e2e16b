# Tentacle's watchdog: a task of the Task Scheduler that starts services again (`Tentacle.exe checkservices`).

function Get-WatchdogSection {
    # A name with a wildcard that nothing matches is no error.
    $tasks = @(Invoke-Aside -What 'the task scheduler' -Seconds 6 -Call {
            foreach ($task in @(Get-ScheduledTask -TaskName 'Octopus Watchdog*' -ErrorAction Stop)) {
                $result = try { (Get-ScheduledTaskInfo -InputObject $task -ErrorAction Stop).LastTaskResult } catch { $null }
                @{ Name = [string]$task.TaskName; State = [int]$task.State; Result = $result }
            }
        })
    # Others are shown the tasks that they may read, and not told of the rest.
    if (-not $tasks.Count -and (Get-IdentityFact).Elevated -ne $true) { throw 'only administrators are shown all tasks, and this account is none' }
    $Survey.Cache['tasks'] = @($tasks | ForEach-Object { $_.Name })
    $words = @{ 1 = 'disabled'; 3 = 'ready'; 4 = 'running' }
    foreach ($task in $tasks) {
        $state = $words[$task.State]
        @{
            name        = $task.Name
            state       = if ($state) { $state } else { 'other' }
            last_result = if ($null -ne $task.Result) { [int64]$task.Result } else { $null }
        }
    }
}
