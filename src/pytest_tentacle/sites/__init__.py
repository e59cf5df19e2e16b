"""Machines that are not reached from here: a worker of their site surveys them, and only facts travel.

The engine is dask.distributed: its scheduler, its workers, its protocol over TLS with certificates on both sides. A
worker belongs to a site by its resource `site:NAME`. A machine's survey is the same as everywhere (`survey.host`).
"""
