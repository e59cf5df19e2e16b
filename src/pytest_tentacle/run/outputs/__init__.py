"""What a run writes: where it may, what it writes there, and what came of it."""
