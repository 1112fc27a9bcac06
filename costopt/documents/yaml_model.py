"""A person's YAML file as a pydantic model, and what is wrong with it in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from costopt.documents import yaml_file
from costopt.documents.yaml_file import Document
from costopt.errors import InputError
from costopt.model.zone import time_zone


class Part(BaseModel):
    """A part of such a file: no field that is not there, and nothing changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=Part)


def _zone(name: str) -> str:
    zone = time_zone(name)
    if zone is None:
        raise ValueError(f"{name!r} is no IANA time zone, like Europe/Amsterdam")
    return zone


Zone = Annotated[str, AfterValidator(_zone)]
"""The IANA name of a clock."""


def load(
    path: Path, model: type[P], *, called: str, hint: str, numbers: bool
) -> tuple[P, Document]:
    """The file as that model, and where everything in it stands.

    Args:
        called: what it is, for errors: mapping file.
        hint: where people read about it.
        numbers: see yaml_file.read.
    Raises:
        InputError: see yaml_file.read; an unknown or unusable field (which, and where).
    """
    document = yaml_file.read(path, called=called, numbers=numbers)
    given = {} if document.given is None else document.given
    try:
        return model.model_validate(given), document
    except ValidationError as error:
        # a field misspelt is told before what is then missing
        found = sorted(
            error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden"
        )
        first = found[0]
        steps = first["loc"] if first["type"] == "missing" else document.known(first["loc"])
        what = _sentence(first, steps, model)
        raise InputError(what, where=document.where(steps), hint=hint) from None


_PLAIN: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "too_short": "needs at least one",
    "string_too_short": "is empty",
    "string_type": "needs text; true and the like stand in quotes to be text",
    "literal_error": "is one of {expected}",
    "tuple_type": "needs a list",
    "dict_type": "needs names and values, like {{team: data}}",
    "model_type": "needs fields of its own",
    "model_attributes_type": "needs fields of its own",
    "int_parsing": "{given!r} is not a whole number",
    "int_from_float": "{given!r} is not a whole number",
    "int_type": "needs a whole number",
    "float_parsing": "{given!r} is not a number",
    "float_type": "needs a number",
    "decimal_type": "needs a number",
    "finite_number": "needs a number",
    "date_from_datetime_parsing": "{given!r} is no day, like 2026-12-31",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must not be below {ge}",
    "less_than_equal": "must not be above {le}",
}
"""What pydantic's errors mean to people."""


def _sentence(error: Any, steps: tuple[int | str, ...], model: type[BaseModel]) -> str:
    name = ".".join(map(str, steps)) or "the file"
    if error["type"] == "extra_forbidden":
        near = get_close_matches(str(steps[-1]), _fields(model, steps[:-1]), n=1, cutoff=0.5)
        return f"{name}: no such field" + (f"; did you mean {near[0]!r}?" if near else "")
    said = _PLAIN.get(error["type"], "").format(**error.get("ctx", {}), given=error["input"])
    return f"{name}: {said or re.sub('^Value error, ', '', error['msg'])}"


def _fields(model: type[BaseModel], steps: tuple[int | str, ...]) -> list[str]:
    """The fields that may stand at that place of the file."""
    for step in steps:
        field = model.model_fields.get(str(step))
        model = (field and _model_of(field.annotation)) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation is made of, within its dict, tuple or union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_of(arg))), None)
