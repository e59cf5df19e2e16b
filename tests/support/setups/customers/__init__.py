"""What customers run: written down from documentation and threads, before any of it was judged."""
