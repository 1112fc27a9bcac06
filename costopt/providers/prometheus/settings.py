"""What can be asked of `costopt collect prometheus`; each field becomes an option."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from costopt.providers.fields import Moment
from costopt.units import SECONDS_PER_DAY

_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(\S.*)")
_SECRET_HEADER: Final = re.compile(r"(?i)auth|cookie|token|secret|password|key")
_PAGE: Final = re.compile(r"/(d|explore|dashboards|graph|targets|login|vmui)(/.*)?$")
_OURS: Final = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "content-type"}
    | {"transfer-encoding"}
)
"""Headers that say how a request is written, which only who writes it knows."""
_MATCHERS: Final = re.compile(
    r'\s*[A-Za-z_]\w*\s*(=|!=|=~|!~)\s*"[^"\n]*"(\s*,\s*[A-Za-z_]\w*\s*(=|!=|=~|!~)\s*"[^"\n]*")*\s*'
)


class PrometheusSettings(BaseModel):
    """Collect machines from Prometheus or what answers like it.

    node_exporter, dcgm-exporter, cAdvisor and kube-state-metrics are understood; Thanos, Mimir and
    VictoriaMetrics too. Secrets come from files or the environment, never from options.
    docs/providers/prometheus.md explains what is asked, and the file of hosts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(description="address with its path, such as https://mimir.example/prometheus")
    days: int = Field(60, ge=1, le=1100, description="days of metrics to ask for")
    until: Moment | None = Field(
        None, description="metrics up to this moment (ISO, UTC); without it, now"
    )
    period: int | None = Field(
        None,
        ge=10,
        le=3600,
        description="seconds that one sample stands for; without it, 300 or what scraping allows",
    )
    hosts: Path | None = Field(None, description="YAML file of your machines' shapes and costs")
    machine_label: str = Field(
        "instance",
        pattern=r"^[A-Za-z_]\w*$",
        description="label that names the machine; nodename is the host's own name",
    )
    only: str | None = Field(
        None, description='label matchers that narrow every query, such as cluster="prod"'
    )
    gone_after: int = Field(
        14, ge=2, le=1100, description="days without a sample after which a machine is gone"
    )
    token_file: Path | None = Field(None, description="file that holds a bearer token")
    token_env: str | None = Field(
        None, description="name of the environment variable that holds a bearer token"
    )
    username: str | None = Field(None, description="user of basic authentication")
    password_file: Path | None = Field(None, description="file that holds the user's password")
    password_env: str | None = Field(
        None, description="name of the environment variable that holds the user's password"
    )
    header: tuple[str, ...] = Field(
        (), description='header to send, as "X-Scope-OrgID: team"; "Name: @FILE" reads its value'
    )
    ca_file: Path | None = Field(None, description="certificates to trust (PEM)")
    cert_file: Path | None = Field(None, description="certificate to show (PEM)")
    key_file: Path | None = Field(None, description="private key of that certificate (PEM)")
    timeout: float = Field(60.0, gt=0, le=600, description="seconds to wait for an answer")
    max_concurrency: int = Field(3, ge=1, le=32, description="queries under way at a time")
    max_attempts: int = Field(6, ge=1, le=20, description="tries of a query that is turned away")
    accept_partial: bool = Field(
        False, description="keep answers that say that they are not whole (Thanos)"
    )

    @field_validator("url")
    @classmethod
    def _address(cls, given: str) -> str:
        parts = urlsplit(given)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(
                "user, password and query do not belong into the address; there are options for "
                "secrets that read them from a file or the environment"
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("not an address like https://prometheus.example:9090")
        if found := _PAGE.search(parts.path):
            raise ValueError(
                f"{found[0]} is a page for people, of Grafana or Prometheus: give the address "
                "below which the API stands, like https://prometheus.example:9090"
            )
        return given.rstrip("/").removesuffix("/api/v1")

    @field_validator("period")
    @classmethod
    def _divides(cls, given: int | None) -> int | None:
        if given and SECONDS_PER_DAY % given:
            raise ValueError(f"{given} seconds do not divide a day; 60, 300 and 900 do")
        return given

    @field_validator("only")
    @classmethod
    def _matchers(cls, given: str | None) -> str | None:
        if given is not None and not _MATCHERS.fullmatch(given):
            raise ValueError('not matchers like cluster="prod",job=~"node.*"')
        return given

    @field_validator("header")
    @classmethod
    def _headers(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for line in given:
            found = _HEADER.fullmatch(line)
            if not found:
                raise ValueError("not a header like X-Scope-OrgID: team")
            if _SECRET_HEADER.search(found[1]) and not found[2].startswith("@"):
                raise ValueError(
                    f"{found[1]} looks like a secret, which other users could see on the command "
                    f'line; put it into a file and say "{found[1]}: @FILE"'
                )
            if found[1].casefold() in _OURS:
                raise ValueError(f"{found[1]} is set by costopt itself")
        return given

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.token_file and self.token_env:
            raise ValueError("--token-file and --token-env are two sources of one token")
        if self.password_file and self.password_env:
            raise ValueError("--password-file and --password-env are two sources of one password")
        if bool(self.username) != bool(self.password_file or self.password_env):
            raise ValueError("--username goes with --password-file or --password-env")
        if self.username and (self.token_file or self.token_env):
            raise ValueError("give either a token or a user, not both")
        if self.key_file and not self.cert_file:
            raise ValueError("--key-file needs its --cert-file")
        names = [name.casefold() for name, _ in self.headers]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"--header gives {twice!r} twice")
        if "authorization" in names and (self.username or self.token_file or self.token_env):
            raise ValueError("--header Authorization is what a token or a user would be sent in")
        if self.url.startswith("http:") and (self.ca_file or self.cert_file):
            raise ValueError("certificates are for https:// addresses: this one is not encrypted")
        return self

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Name and value of each custom header; a value may be @FILE."""
        found = (_HEADER.fullmatch(line) for line in self.header)
        return tuple((one[1], one[2].strip()) for one in found if one)
