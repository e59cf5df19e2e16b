"""`pytest-tentacle explain TT551`: a page of the manual, from the installed package alone."""

from __future__ import annotations

import argparse
import sys

from pytest_tentacle.hiding import printable


def add(parser: argparse.ArgumentParser) -> None:
    """What may follow the command."""
    parser.add_argument("code", nargs="+", help="a problem's or a cause's code, such as TT551 or TC2021")


def run(options: argparse.Namespace) -> int:
    """Exit code 0, or 2 where a code is none: then nothing is printed."""
    from pytest_tentacle.manual import page, renumbered  # noqa: PLC0415  all the registries: not for the other commands

    old = renumbered()
    texts, strange = [], []
    for given in options.code:
        code = given.strip().upper()
        today = old.get(code, code)
        text = page(today)
        if text is None:
            strange.append(given)
        else:
            texts.append((f"{code} is {today} by now.\n\n" if today != code else "") + text)
    if strange:
        sys.stderr.write(
            f"pytest-tentacle explain: no problem or cause has the code {printable(', '.join(strange))}; "
            "codes look like TT205 or TC2021\n"
        )
        return 2
    sys.stdout.write("\n".join(texts))
    return 0
