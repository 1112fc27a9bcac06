"""What is needed to be let in: secrets from files and the environment, and certificates."""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from costopt.errors import ConfigError
from costopt.providers.prometheus.settings import PrometheusSettings

_LONGEST: Final = 64 * 1024  # bytes of a secret's file: anything longer is another file


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """Headers and basic authentication of every request. Its repr shows nothing."""

    headers: dict[str, str]
    basic: tuple[str, str] | None  # user, password

    @property
    def encoded(self) -> str:
        """User and password as basic authentication sends them, in UTF-8 (RFC 7617)."""
        return b64encode(":".join(self.basic or ()).encode()).decode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that nothing may show, the longest first."""
        found = [value.removeprefix("Bearer ") for value in self.headers.values()]
        if self.basic:
            found += [self.basic[1], self.encoded]
        return tuple(sorted((text for text in found if text), key=len, reverse=True))


def credentials(settings: PrometheusSettings) -> Credentials:
    """The secrets that the settings name, read now.

    Raises:
        ConfigError: a file or variable that is not there, is empty, or cannot be sent.
    """
    headers = {
        name: _of_file(Path(value[1:]), "--header") if value.startswith("@") else value
        for name, value in settings.headers
    }
    token = _secret(settings.token_file, settings.token_env, "--token")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    basic = None
    if settings.username:
        password = _secret(
            settings.password_file, settings.password_env, "--password", encoded=True
        )
        basic = (settings.username, password or "")
    return Credentials(headers, basic)


def tls(settings: PrometheusSettings) -> ssl.SSLContext:
    """Whom to trust, and the certificate to show. Nothing turns the checking off.

    Raises:
        ConfigError: a certificate or key that cannot be used.
    """
    try:
        context = ssl.create_default_context(
            cafile=str(settings.ca_file) if settings.ca_file else None
        )
    except (OSError, ssl.SSLError) as error:
        raise _unusable("--ca-file", settings.ca_file, error) from None
    if settings.cert_file:
        try:
            context.load_cert_chain(
                settings.cert_file, settings.key_file, password=lambda: b""
            )  # an empty password: a locked key fails instead of asking the terminal
        except (OSError, ssl.SSLError) as error:
            raise _unusable("--cert-file", settings.cert_file, error) from None
    return context


def _unusable(option: str, path: Path | None, error: Exception) -> ConfigError:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "not usable"
    return ConfigError(
        f"the certificate cannot be used: {reason}",
        where=f"{option} {path}",
        hint="PEM files are needed, and a key without a passphrase",
    )


def _secret(
    path: Path | None, variable: str | None, option: str, *, encoded: bool = False
) -> str | None:
    """The secret; one that is sent `encoded` (base64) may be any printable text."""
    if path:
        return _of_file(path, f"{option}-file", encoded=encoded)
    if not variable:
        return None
    value = os.environ.get(variable, "").strip()
    if not value:
        raise ConfigError(f"the environment variable {variable} is not set", where=f"{option}-env")
    return _sendable(value, f"{option}-env {variable}", encoded=encoded)


def _of_file(path: Path, option: str, *, encoded: bool = False) -> str:
    where = f"{option} {path}"
    try:
        with path.open("rb") as file:
            value = file.read(_LONGEST + 1).decode("utf-8").strip()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=where) from None
    except UnicodeDecodeError:
        value = "\n"  # told below, without its content
    if not value:
        raise ConfigError("the file is empty", where=where)
    return _sendable(value, where, encoded=encoded)


def _sendable(value: str, where: str, *, encoded: bool) -> str:
    carried = value.isprintable() and (encoded or value.isascii())
    if len(value) > _LONGEST or not carried:
        raise ConfigError(
            "this is no secret that a header can carry",
            where=where,
            hint="one line of plain characters is needed",
        )
    return value
