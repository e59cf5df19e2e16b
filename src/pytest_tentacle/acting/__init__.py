"""What a run does only where it is asked for: wait until all is well."""
