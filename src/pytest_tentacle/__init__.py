"""Octopus Deploy's guide "Troubleshooting Tentacles" as a pytest suite."""

__version__ = "0.1.0"
