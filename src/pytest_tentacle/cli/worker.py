"""`pytest-tentacle worker`: the engine's own worker (`dask worker`) with a site's resource and without a disk.

Nothing is spilled to files, and nothing is shown on a dashboard; whatever else the engine's worker can be told stands
behind `--`.
"""

from __future__ import annotations

import argparse
import re
import sys

_SITE = re.compile(r"[\w.-]+")
THREADS = 32


def add(parser: argparse.ArgumentParser) -> None:
    """What may follow the command."""
    parser.add_argument("--site", required=True, metavar="NAME", help="whose machines it surveys, as in `site: NAME`")
    parser.add_argument(
        "--scheduler", required=True, metavar="ADDRESS", help="tls://HOST:8786; tcp:// on loopback alone"
    )
    parser.add_argument("--tls-ca-file", metavar="FILE", help="PEM file of the authority of all certificates")
    parser.add_argument("--tls-cert", metavar="FILE", help="PEM file of this worker's certificate")
    parser.add_argument("--tls-key", metavar="FILE", help="PEM file of its private key")
    parser.add_argument(
        "--workers", type=int, default=THREADS, metavar="N", help=f"machines at the same time (default {THREADS})"
    )
    parser.add_argument("engine", nargs="*", metavar="-- WORDS", help="for `dask worker`, such as --no-nanny")


def run(options: argparse.Namespace) -> int:
    """Exit code 2 for wrong words, 1 where the engine is missing, else the engine's own."""
    from pytest_tentacle.sites.address import (  # noqa: PLC0415  this command alone needs them
        EXTRA,
        SitesError,
        scheduler_address,
        site_resource,
    )

    try:
        address = scheduler_address(options.scheduler)
    except SitesError as error:
        return _refuse(str(error), 2)
    if _SITE.fullmatch(options.site) is None:
        return _refuse(f"a site's name has letters, digits, - . and _ alone, unlike {options.site!r}", 2)
    try:
        import dask  # noqa: PLC0415  as above
        from distributed.cli.dask_worker import main  # noqa: PLC0415  as above
    except ImportError as error:
        return _refuse(f"a worker needs the Python package {error.name}, which is not installed: {EXTRA}", 1)
    dask.config.set({"distributed.worker.memory.target": False, "distributed.worker.memory.spill": False})
    words = [address, "--resources", f"{site_resource(options.site)}={options.workers}", "--no-dashboard"]
    words += ["--nthreads", str(options.workers)]
    for name in ("tls_ca_file", "tls_cert", "tls_key"):
        if (file := getattr(options, name)) is not None:
            words += [f"--{name.replace('_', '-')}", file]
    main.main(args=[*words, *options.engine], prog_name="pytest-tentacle worker", standalone_mode=False)
    return 0


def _refuse(why: str, code: int) -> int:
    sys.stderr.write(f"{why}\n")
    return code
