"""Scenarios of fleets that most do without: Windows hosts, and further Octopus Servers."""
