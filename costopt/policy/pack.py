"""Packs of policies: YAML files, read, typed and compiled, with the place of what is wrong.

A pack that a project has of its own replaces shipped policies of the same id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from pydantic import Field

from costopt.documents.yaml_file import Document
from costopt.documents.yaml_model import Part, load
from costopt.errors import InputError
from costopt.model.check import About, Severity
from costopt.policy.expression import Column, ExpressionError, Kind, compiled
from costopt.policy.fields import VARIABLES
from costopt.policy.template import Template, template

ID: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"
"""Of a policy."""
_HINT: Final = "docs/policies.md"

Case: TypeAlias = dict[str, Any]
"""Fields of one subject, by variable: {resource: {vcpus: 4}, profile: {cpu: {p99: 3}}}."""


class Cases(Part):
    """Examples that run as tests."""

    passes: tuple[Case, ...] = Field((), alias="pass", description="subjects that keep it")
    fails: tuple[Case, ...] = Field((), alias="fail", description="subjects that break it")
    skips: tuple[Case, ...] = Field(
        (), alias="skip", description="subjects of which too little is known, or of others"
    )


class PolicyText(Part):
    """One policy, as it is written."""

    id: str = Field(pattern=ID, max_length=80, description="kebab-case, unique, kept for ever")
    title: str = Field(min_length=1, max_length=120, description="what is right, in one line")
    description: str = Field(
        min_length=1, description="what is wasteful, what is better, and why; by whom it is said"
    )
    source: str = Field("", description="where that can be read")
    severity: Severity = Field("warning", description="error, warning or note")
    over: Literal["resource", "change", "fleet"] = Field(
        "resource", description="what it judges, one by one"
    )
    match: str = Field("true", description="CEL: which of them it judges")
    require: str = Field(description="CEL: what must be true of those")
    message: str = Field(min_length=1, description="what to tell of one that breaks it")
    monthly: str = Field("", description="CEL: money a month that is at stake, where that is known")
    remediation: str = Field(min_length=1, description="what to do")
    cases: Cases = Field(Cases(), description="examples, which run as tests")


class PackText(Part):
    """A file of policies."""

    policies: tuple[PolicyText, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy, ready to judge."""

    text: PolicyText
    match: Column
    require: Column
    message: Template
    monthly: Column | None
    file: Path
    line: int
    where: str  # file:line:column

    @property
    def about(self) -> About:
        """For those who read what it found."""
        text = self.text
        return About(
            id=text.id,
            title=text.title,
            description=" ".join(text.description.split()),
            source=text.source,
            severity=text.severity,
            remediation=" ".join(text.remediation.split()),
            pack=self.file.stem,
            path=_told(self.file),
            line=self.line,
        )

    @property
    def fields(self) -> frozenset[str]:
        """Paths of the columns that it reads."""
        asked = self.match.fields | self.require.fields | self.message.fields
        return asked | self.monthly.fields if self.monthly else asked


def shipped() -> Path:
    """The folder of the packs that come with costopt."""
    package = Path(str(files("costopt")))
    inside = package / "policies"  # in a wheel; beside the package in its sources
    return inside if inside.is_dir() else package.parent / "policies"


def read(path: Path) -> tuple[Policy, ...]:
    """The policies of one file.

    Raises:
        InputError: it is no pack: which field, line and column.
    """
    pack, document = load(path, PackText, called="pack of policies", hint=_HINT, numbers=True)
    return tuple(_compiled(text, document, number) for number, text in enumerate(pack.policies))


def gathered(paths: Sequence[Path]) -> tuple[Policy, ...]:
    """The policies of files, and of folders of them; of one id the last counts.

    Raises:
        InputError: a file is no pack, or one holds an id twice.
    """
    found: dict[str, Policy] = {}
    for path in paths:
        for file in _files(path):
            mine: dict[str, Policy] = {}
            for policy in read(file):
                if first := mine.get(policy.text.id):
                    what = f"the policy {policy.text.id!r} stands twice, first at {first.where}"
                    raise InputError(what, where=policy.where, hint=_HINT)
                mine[policy.text.id] = policy
            found |= mine
    return tuple(found[name] for name in sorted(found))


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from sorted([*path.glob("*.yml"), *path.glob("*.yaml")])


def _compiled(text: PolicyText, document: Document, number: int) -> Policy:
    variables = VARIABLES[text.over]
    steps = ("policies", number)

    def column(field: str, kind: Kind) -> Column:
        given = getattr(text, field)
        with _placed(document, (*steps, field)):
            return compiled(given, variables, kind)

    with _placed(document, (*steps, "message")):
        message = template(text.message, variables)
    return Policy(
        text=text,
        match=column("match", Kind.BOOL),
        require=column("require", Kind.BOOL),
        message=message,
        monthly=column("monthly", Kind.NUMBER) if text.monthly else None,
        file=document.path,
        line=document.place(steps).line,
        where=document.where(steps),
    )


def _told(file: Path) -> str:
    """Its path from here, as forges want it; of a shipped pack where it stands in the sources."""
    if file.is_relative_to(shipped()):
        return f"policies/{file.relative_to(shipped()).as_posix()}"
    here = Path.cwd()
    return (
        file.resolve().relative_to(here).as_posix()
        if file.resolve().is_relative_to(here)
        else (file.as_posix())
    )


@contextmanager
def _placed(document: Document, steps: tuple[int | str, ...]) -> Iterator[None]:
    """An expression's error with its place in the file."""
    try:
        yield
    except ExpressionError as error:
        where = document.where_in(steps, error.offset)
        raise InputError(f"{steps[-1]}: {error}", where=where, hint=error.hint or _HINT) from None
