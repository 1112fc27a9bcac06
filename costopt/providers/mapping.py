"""Mapping files: where our columns come from in other people's files, as YAML, checked on loading.

docs/providers/files.md explains every field; docs/examples/mappings/ holds working ones.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import pyarrow as pa
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from costopt import schema
from costopt.config import LONGEST_DAYS
from costopt.documents import yaml_model
from costopt.documents.yaml_model import Part, Zone


def _pattern(text: str) -> str:
    try:
        groups = re.compile(text).groups
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    if groups != 1:
        raise ValueError(f"needs exactly one group in parentheses, has {groups}")
    return text


def _ratio(value: object) -> object:
    """Numbers, and text such as "1/1048576"."""
    if not isinstance(value, str):
        return value
    try:
        return float(Fraction(value))
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{value!r} is neither a number nor a fraction like 1/1024") from None


_Number = Annotated[float, BeforeValidator(_ratio), Field(allow_inf_nan=False)]


class Source(Part):
    """Where one column's values come from, and what is done to them. Plain text is a column."""

    column: str | None = Field(None, description="a column of the file")
    value: str | int | float | bool | None = Field(None, description="the same in every row")
    file_name: Annotated[str, AfterValidator(_pattern)] | None = Field(
        None, description="a regular expression; its group, found in the file's name, is the value"
    )
    prefix: str = Field("", description="text put before the value")
    over: str | None = Field(None, description="divide by this column; by 0 or nothing: missing")
    scale: _Number = Field(1.0, description="then multiply by this number, or fraction like 1/1024")
    offset: _Number = Field(0.0, description="then add this number")
    unit: Literal["s", "ms", "us", "ns"] | None = Field(
        None, description="of times that count from 1970; default: told by their size"
    )
    zone: Zone = Field("UTC", description="clock of times that name no offset")
    format: str | None = Field(None, description="strptime pattern of times that are not ISO 8601")
    plus: str | None = Field(None, description="times: add this column, times plus_seconds")
    plus_seconds: float = Field(1.0, gt=0, description="seconds in one step of the plus column")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return {"column": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        given = [n for n in ("column", "value", "file_name") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError("needs exactly one of column, value, file_name")
        return self

    @property
    def computed(self) -> bool:
        """Whether the value is worked out as a number."""
        return self.over is not None or self.scale != 1.0 or self.offset != 0.0

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns it reads."""
        return tuple(c for c in (self.column, self.over, self.plus) if c is not None)


class Value(Source):
    """One metric that a wide row holds."""

    metric: str = Field(min_length=1, description="our metric name, or one of your own under x_")
    statistic: Literal["mean", "max"] = "mean"


class Condition(Part):
    """A test on one column's value; exactly one comparison."""

    column: str
    equals: str | float | None = None
    less_than: float | None = None
    greater_than: float | None = None
    missing: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        tests = (self.equals, self.less_than, self.greater_than, self.missing)
        if sum(test is not None for test in tests) != 1:
            raise ValueError("needs exactly one of equals, less_than, greater_than, missing")
        return self


class Csv(Part):
    """How the text files are written, where it cannot be told by looking."""

    delimiter: str | None = Field(None, description="one character, blanks may follow it (';\\t')")
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", "'", " "] = ""
    encoding: Literal["utf-8", "latin-1", "cp1252"] = "utf-8"

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value is not None and (not value or bool(value[1:].strip())):
            raise ValueError("needs one character, which blanks may follow")
        return value

    @model_validator(mode="after")
    def _different(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands must be different marks")
        return self


class Table(Part):
    """One of our tables. Columns not named are looked for under our own names."""

    names: ClassVar[tuple[str, ...]] = ()
    files: str | tuple[str, ...] = Field("*", description="of a folder, only files named like this")
    csv: Csv = Csv()
    skip_where: tuple[Condition, ...] = Field((), description="rows that any of these leaves out")
    columns: dict[str, Source] = Field(default_factory=dict, description="our column: its source")

    @field_validator("columns")
    @classmethod
    def _ours(cls, given: dict[str, Source]) -> dict[str, Source]:
        for name in given:
            if name not in cls.names:
                near = get_close_matches(name, cls.names, n=1, cutoff=0.5)
                hint = f"; did you mean {near[0]}?" if near else f"; there are {list(cls.names)}"
                raise ValueError(f"{name!r} is none of our columns{hint}")
        return given

    @property
    def patterns(self) -> tuple[str, ...]:
        """File name patterns, always several."""
        return (self.files,) if isinstance(self.files, str) else self.files


class Metrics(Table):
    """The metrics table: long rows, or wide ones by `values`."""

    names: ClassVar = tuple(schema.METRICS.names)
    values: tuple[Value, ...] = Field((), description="the metrics that one wide row holds")


class Resources(Table):
    """The resources table, of its own files or derived from the metrics files."""

    names: ClassVar = tuple(schema.RESOURCES.names)
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    origin: Literal["resources", "metrics"] = Field(
        "resources", alias="from", description="which files hold them"
    )
    tags: dict[str, str] = Field(default_factory=dict, description="tag: the column that holds it")
    resized_by: tuple[str, ...] = Field(
        ("x_vCPUs", "x_MemoryGiB", "x_InstanceType"),
        description="derived resources: our columns of which a change is a new size",
    )
    settle_hours: float = Field(
        1.0,
        ge=0,
        le=LONGEST_DAYS * 24,
        description="derived resources: shorter changes of size are glitches",
    )


class Charges(Table):
    """The charges table, under FOCUS's names."""

    names: ClassVar = (*schema.CHARGES.names, "ServiceProviderName")

    @field_validator("columns")
    @classmethod
    def _exact(cls, given: dict[str, Source]) -> dict[str, Source]:
        for name, source in given.items():
            exact = name in cls.names and pa.types.is_decimal(_kind(name))
            if exact and source.computed:
                raise ValueError(f"{name}: amounts are taken as they stand, never computed")
        return given


def _kind(name: str) -> pa.DataType:
    found = schema.CHARGES.field(name) if name in schema.CHARGES.names else None
    return pa.string() if found is None else found.type


class Prices(Table):
    """The prices table."""

    names: ClassVar = tuple(schema.PRICES.names)


class Shapes(Table):
    """The shapes table."""

    names: ClassVar = tuple(schema.SHAPES.names)


class Rates(Table):
    """The rates table: storage and traffic."""

    names: ClassVar = tuple(schema.RATES.names)


class Exchange(Table):
    """The table of exchange rates."""

    names: ClassVar = tuple(schema.EXCHANGE.names)


class FileMapping(Part):
    """A mapping file."""

    about: str = Field("", description="what these files are, for people")
    resources: Resources = Resources()
    metrics: Metrics = Metrics()
    charges: Charges = Charges()
    prices: Prices = Prices()
    shapes: Shapes = Shapes()
    rates: Rates = Rates()
    exchange: Exchange = Exchange()

    def table(self, name: schema.TableName) -> Table:
        """That table's part."""
        part = getattr(self, name)
        assert isinstance(part, Table)
        return part


def load(path: Path) -> FileMapping:
    """The mapping in a YAML file.

    Raises:
        InputError: no such file, not YAML, an unknown or unusable field (which, and where).
    """
    hint = "docs/providers/files.md explains mapping files"
    return yaml_model.load(path, FileMapping, called="mapping file", hint=hint, numbers=True)[0]
