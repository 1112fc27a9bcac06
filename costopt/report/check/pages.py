"""What policies there are, and one of them in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from costopt.model.check import About
from costopt.report.screen import HEAD, PLAIN, QUIET, STRONG, Column, Screen

WIDTH: Final = 100
_SEVERITY: Final = 8


def listed(policies: Sequence[About], *, width: int = WIDTH, colour: bool = False) -> bytes:
    """Pack by pack: severity, id and title."""
    screen = Screen(width, colour=colour)
    broad = max(len(one.id) for one in policies)
    columns = [Column(_SEVERITY), Column(broad), Column(width - broad - _SEVERITY - 10)]
    by_pack = sorted(policies, key=lambda one: (one.pack, one.id))
    for name, group in groupby(by_pack, key=lambda one: one.pack):
        screen.blank()
        screen.line((name, HEAD))
        for one in group:
            cells = ((one.severity, QUIET), (one.id, STRONG), (one.title, PLAIN))
            screen.grid(columns, [(cell,) for cell in cells])
    screen.blank()
    return screen.text().encode()


def fields(
    known: Sequence[tuple[str, str, str]], *, width: int = WIDTH, colour: bool = False
) -> bytes:
    """Every field: its path, of what kind it is, what it says."""
    screen = Screen(width, colour=colour)
    broad = max(len(path) for path, _, _ in known)
    kinds = max(len(kind) for _, kind, _ in known)
    for name, group in groupby(known, key=lambda one: one[0].split(".")[0]):
        screen.blank()
        screen.line((name, HEAD))
        for path, kind, said in group:
            screen.labelled(path, f"{kind:{kinds}}  {said}".rstrip(), label=broad)
    screen.blank()
    return screen.text().encode()


def story(
    one: About, expressions: Mapping[str, str], *, width: int = WIDTH, colour: bool = False
) -> bytes:
    """All that a policy says of itself."""
    screen = Screen(width, colour=colour)
    screen.blank()
    screen.line((one.id, HEAD), (f"  {one.title}", STRONG))
    screen.line((f"{one.severity} · {one.path}:{one.line}", QUIET))
    screen.blank()
    screen.paragraph(one.description)
    screen.blank()
    for name, text in expressions.items():
        screen.labelled(name, " ".join(text.split()))
    screen.labelled("do", one.remediation)
    if one.source:
        screen.labelled("source", one.source)
    screen.blank()
    return screen.text().encode()
