"""Where machines come from besides our own YAML files."""
