"""Runs before this one: what `--compare` and `--history` read, and what is new, gone and standing since then."""
