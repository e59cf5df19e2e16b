"""A run: from the options to the survey, the verdicts and the exit code. What `plugin` calls from pytest's hooks."""
