"""A plan for a clean slate as a page for people, and as a script that a person runs on the machine, part by part."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import Environment, StrictUndefined

from pytest_tentacle.guide.placeholders import PLACEHOLDER

from .clean_slate import Plan

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Clean slate for {{ plan.machine }}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}
pre{background:#f3f3f3;padding:.5em .8em;white-space:pre-wrap;word-break:break-word}
th{text-align:left;padding-right:1.5em}
td{font-family:monospace}</style></head><body>
<h1>A clean slate for {{ plan.machine }}</h1>
<p>Made {{ made }} from a survey of {{ taken }}. Nothing of it was run: that is for you,
line by line, or by {{ script }}.</p>
{% for title, lines in parts %}
<h2>{{ title }}</h2>
{% if title == keep %}
<table>{% for name, value in plan.keep %}<tr><th>{{ name }}</th><td>{{ value }}</td></tr>{% endfor %}</table>
{% endif %}
{% for line in lines %}
{% if line.startswith("$ ") %}<pre>{{ line[2:] }}</pre>
{% elif line.startswith("# ") %}<p>By hand:</p><pre>{{ line[2:] }}</pre>
{% else %}<p>{{ line }}</p>{% endif %}
{% endfor %}
{% endfor %}
</body></html>
"""
_KEEP = "2. Settings to keep"


def page(plan: Plan, *, made: str, taken: str, script: str) -> str:
    """The page."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    parts = [
        ("1. Before you begin", plan.first),
        (_KEEP, ()),
        ("3. What Octopus Server has to be told", plan.server),
        ("4. Remove, in this order", plan.remove),
        ("5. What earlier installations left", plan.left_overs),
        ("6. Come back, in this order", plan.back),
    ]
    return environment.from_string(_PAGE).render(
        plan=plan, made=made, taken=taken, script=script, parts=parts, keep=_KEEP
    )


def _one_line(text: str) -> str:
    """What a machine said is a comment, and stays one: no line end, nothing invisible."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _scripted(line: str) -> str:
    """A command; words, and a command in which something is left to fill in, as a comment."""
    is_ready = line.startswith("$ ") and not PLACEHOLDER.search(line)
    return f"    {line[2:]}" if is_ready else f"    # {_one_line(line.removeprefix('$ '))}"


def script(plan: Plan) -> str:
    """The commands as a script with two parts, `remove` and `back`; without a word it only says so."""
    return "\n".join(_windows(plan) if plan.is_windows else _linux(plan)) + "\n"


def _windows(plan: Plan) -> Iterator[str]:
    yield f"# A clean slate for {_one_line(plan.machine)}. Read its page first. Run: remove, then back; elevated."
    yield "param([string]$Part)"
    yield "$ErrorActionPreference = 'Stop'"
    yield 'function Assert-Done { if ($LASTEXITCODE) { throw "the program ended with $LASTEXITCODE" } }'
    for name, lines in (("remove", (*plan.remove, *plan.left_overs)), ("back", plan.back)):
        yield f"if ($Part -eq '{name}') {{"
        for line in lines:
            yield _scripted(line)
            if _scripted(line).startswith("    & "):
                yield "    Assert-Done"
        yield "}"
    yield "if ('remove', 'back' -notcontains $Part) { 'Say which part: remove or back.' }"


def _linux(plan: Plan) -> Iterator[str]:
    yield "#!/bin/sh"
    yield f"# A clean slate for {_one_line(plan.machine)}. Read its page first. Run: remove, then back; as root."
    yield "set -eu"
    yield "case ${1:-} in"
    for name, lines in (("remove", (*plan.remove, *plan.left_overs)), ("back", plan.back)):
        yield f"{name})"
        yield from map(_scripted, lines)
        yield "    ;;"
    yield "*) echo 'Say which part: remove or back.' ;;"
    yield "esac"
