"""What tests of changes need: hurry, and Windows' commands that change a service."""
