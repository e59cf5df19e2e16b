"""Where on the way a connection is lost."""
