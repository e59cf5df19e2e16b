"""Looks at one link many times over, and the program that answers them at the other end."""
