"""The embedded lab: an Octopus Server and its Tentacles on loopback, with real protocols. Needs Linux, and no root.

`site.Lab` is the lab as a whole. This file imports nothing: who wants but one of its listeners starts
three times as fast.
"""
