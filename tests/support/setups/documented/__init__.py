"""What public documentation, modules and threads describe, each with its source: written down before any of it was judged."""
