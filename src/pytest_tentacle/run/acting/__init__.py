"""What a run does only where it is asked for: options, the question on the terminal, and how it goes."""
