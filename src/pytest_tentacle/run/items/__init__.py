"""The tests of a run: which there are, and what they are given."""
