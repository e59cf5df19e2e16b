"""Programs of their own that scenarios start on the hosts."""
