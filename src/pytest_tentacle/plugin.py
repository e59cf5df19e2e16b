"""pytest hooks and options; thin: each hook calls one function elsewhere."""
