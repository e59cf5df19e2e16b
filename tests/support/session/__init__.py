"""How the tests themselves run: forks, engines, what must not be skipped, and what each code still lacks."""
