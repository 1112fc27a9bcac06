"""Providers on the command line: a subcommand for each, its settings' fields as the options.

A provider that declares `Settings` (a pydantic model) gets one: the fields become the options,
their descriptions the help, the class's docstring the command's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from inspect import cleandoc
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from costopt import registry
from costopt.cli import options
from costopt.providers.base import Provider
from costopt.providers.plain import plain

Run = Callable[..., None]


class ProviderCommands(click.Group):
    """A subcommand for every registered provider that has settings, beside those of its own.

    Args:
        run: called with the provider, built from its options, `home`, `config_path` and what
            `more` parses.
        more: options of the command besides the provider's own.
        about: the help text, of the provider's name and what its settings say of themselves.
        unsaid: options that are taken but not shown, as they have no meaning here.
        wanted: which of the providers' classes get one.
    """

    def __init__(
        self,
        *args: Any,
        run: Run,
        more: Sequence[click.Option] = (),
        about: Callable[[str, str], str] = lambda name, text: text,
        unsaid: Collection[str] = (),
        wanted: Callable[[type], bool] = lambda provider: True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._run = run
        self._more = more
        self._about = about
        self._unsaid = unsaid
        self._wanted = wanted

    def list_commands(self, ctx: click.Context) -> list[str]:
        named = [name for name in registry.names("provider") if self._settings(name) is not None]
        return [*named, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in registry.names("provider"):
            settings = self._settings(cmd_name)
            return None if settings is None else self._command(cmd_name, settings)
        return super().get_command(ctx, cmd_name)

    def _settings(self, name: str) -> type[BaseModel] | None:
        provider = registry.find("provider", name)
        if not self._wanted(provider):
            return None
        found = getattr(provider, "Settings", None)
        assert found is None or issubclass(found, BaseModel)
        return found

    def _command(self, name: str, settings: type[BaseModel]) -> click.Command:
        def run(**given: Any) -> None:
            chosen = {
                key: value
                for key, value in given.items()
                if key in settings.model_fields and value not in (None, ())
            }
            rest = {key: given[key] for key in given if key not in settings.model_fields}
            self._run(_made(name, settings, chosen), **rest)

        fields = [_option(key, field) for key, field in settings.model_fields.items()]
        text = self._about(name, cleandoc(settings.__doc__ or ""))
        made = click.command(name, params=[*fields, *self._more], help=text)(options.project(run))
        for option in made.params:
            assert isinstance(option, click.Option)
            option.hidden = option.name in self._unsaid
        return made


def _made(name: str, settings: type[BaseModel], chosen: dict[str, Any]) -> Provider:
    try:
        made = settings.model_validate(chosen)
    except ValidationError as error:
        raise click.UsageError(_sentence(error)) from None
    until = getattr(made, "until", None)
    if until is not None and until > datetime.now(UTC):
        raise click.UsageError(f"--until: {until:%Y-%m-%d %H:%M} UTC is in the future")
    provider: Provider = registry.find("provider", name)(made)
    return provider


def _option(name: str, field: FieldInfo) -> click.Option:
    kind = _plain(field.annotation)
    flag = f"--{name.replace('_', '-')}"
    shown = "" if field.is_required() or not field.default else f" Default: {_said(field.default)}"
    about = field.description or ""
    text = f"{about[:1].upper()}{about[1:]}.{shown}"
    if kind is bool:
        return click.Option([flag, name], is_flag=True, default=None, help=text)
    if get_origin(kind) is tuple:
        return click.Option([flag, name], multiple=True, help=f"{text} May be given again.")
    metavar = "MOMENT" if kind is datetime else None
    return click.Option(
        [flag, name], type=_type(kind), metavar=metavar, help=text, required=field.is_required()
    )


def _said(default: object) -> str:
    return f"{default:g}" if isinstance(default, float) else str(default)


def _plain(annotation: Any) -> Any:
    """The annotation without its `| None` and what pydantic is told besides."""
    if get_origin(annotation) in (Union, UnionType):
        inner = [part for part in get_args(annotation) if part is not NoneType]
        return _plain(inner[0]) if len(inner) == 1 else str
    return _plain(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


def _type(kind: Any) -> click.ParamType[Any]:
    if get_origin(kind) is Literal:
        return click.Choice([str(value) for value in get_args(kind)])
    known = {Path: click.Path(path_type=Path), int: click.INT, float: click.FLOAT}
    return known.get(kind, click.STRING)  # pydantic reads the others from text


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    name = "".join(f"--{str(part).replace('_', '-')}: " for part in first["loc"][:1])
    return plain(name + str(first["msg"]).removeprefix("Value error, "))
