"""Ways into AWS: sessions of the accounts, clients with bounded retries, errors as problems.

Nothing secret is told: of an error only its code and AWS's sentence are kept, with anything in it
that looks like a key, a token or a signature struck out; and botocore, whose log holds whole
requests and answers, is kept from writing it.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    NoCredentialsError,
)
from botocore.parsers import ResponseParserError
from botocore.session import Session as CoreSession

from costopt.errors import ConfigError, ProviderError
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem
from costopt.providers.plain import plain, silenced

HOME_REGION: Final = "us-east-1"
"""Where services without regions are asked, and the first region to ask for the others."""

DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
        "AuthFailure",
        "OptInRequired",
    }
)

FAILURES: Final = (ClientError, BotoCoreError, ResponseParserError)
"""Everything by which boto3 says that a call failed: AWS's no, no connection, no sense in it."""

_FIRST_WAIT: Final = 10
_FIRST_ATTEMPTS: Final = 2
"""Seconds and tries of the very first call: a wrong address or proxy is told at once."""

_KEPT_CLIENTS: Final = 256
"""An EC2 client takes 1.4 MB: those of 100 accounts in 17 regions would take gigabytes."""


class _Clients:
    """Clients of all accounts; those not used for longest are let go. Safe among threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, ...], made: Callable[[], Any]) -> Any:
        with self._lock:  # making clients of one session is one thread's work at a time
            if key not in self._kept:
                self._kept[key] = made()
            self._kept.move_to_end(key)
            if len(self._kept) > _KEPT_CLIENTS:
                self._kept.popitem(last=False)
            return self._kept[key]


@dataclass(eq=False)
class Account:
    """One account's way in."""

    account_id: str
    name: str  # "" = not known
    session: boto3.Session
    settings: AwsSettings
    is_home: bool = False  # the one that the user's own credentials are of
    machine_types: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the account said of machine types, by name, so that it is asked once (shapes.py)."""
    hides_machine_types: bool = False  # it refused to say
    organization: dict[str, str] = field(default_factory=dict)
    """Of the own account: how every account of the organization stands, by id, as AWS says
    (ACTIVE, SUSPENDED, ...); empty where nobody asked."""
    _clients: _Clients = field(default_factory=_Clients)
    _regions: tuple[str, ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def home_region(self) -> str:
        """The user's own region: asked where any region will do, as others may be forbidden."""
        return self.session.region_name or HOME_REGION

    def client(self, service: str, region: str = HOME_REGION) -> Any:
        """The client of a service in a region; throttling makes it slower, and never endless.

        Raises:
            ConfigError: the address that the user has set for it is none.
        """

        def made() -> Any:
            try:
                return self.session.client(  # type: ignore[call-overload]
                    service, region_name=region, config=_config(self.settings)
                )
            except BotoCoreError:  # some are a ValueError, too
                raise
            except ValueError:
                raise _unusable() from None

        return self._clients.get((self.account_id, service, region), made)

    def regions(self) -> tuple[str, ...]:
        """Those asked for, else all that the account has enabled, by name; asked once.

        Raises:
            ClientError, BotoCoreError: the account does not say.
        """
        with self._lock:
            if not self._regions:
                self._regions = self.settings.region or self._enabled()
            return tuple(sorted(set(self._regions)))

    @property
    def known_regions(self) -> tuple[str, ...]:
        """Those that `regions` found; none where it was not asked or refused."""
        return self._regions

    def enter(self) -> None:
        """Fetch credentials if there are none yet: one call where a role is to be assumed.

        Raises:
            ClientError, BotoCoreError: the account does not let us in.
        """
        credentials = self.session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        credentials.get_frozen_credentials()

    def _enabled(self) -> tuple[str, ...]:
        told = self.client("ec2", self.home_region).describe_regions(AllRegions=False)
        return tuple(one["RegionName"] for one in under(told, "Regions"))


def own_account(settings: AwsSettings) -> Account:
    """The account that the user's credentials are of.

    Raises:
        ProviderError: there are none, AWS refuses them, or nothing answers within half a minute.
        ConfigError: what the user has set up cannot be used.
    """
    silenced()
    try:
        session = _session(settings)
        way = Account("", "", session, settings, is_home=True)
        answer = _first_client(way).get_caller_identity()
        way.account_id = under(answer, "Account")
    except FAILURES as error:
        raise ProviderError(
            f"AWS does not let us in: {said(error)}",
            hint="check with: aws sts get-caller-identity; --profile chooses another one",
        ) from None
    except ValueError:
        raise _unusable() from None
    return way


def _session(settings: AwsSettings) -> boto3.Session:
    """
    Raises:
        ConfigError: the files of configuration or credentials cannot be read.
    """
    try:
        return boto3.Session(profile_name=settings.profile)
    except ConfigParseError as error:
        raise ConfigError(
            "the AWS configuration cannot be read", where=str(error.kwargs.get("path", ""))
        ) from None


def _unusable() -> ConfigError:
    """botocore throws what it cannot read as it is: its text may hold a password."""
    return ConfigError(
        "the AWS configuration cannot be used: an endpoint address that is none, or a "
        "credential_process that does not print JSON",
        hint="look at AWS_ENDPOINT_URL (and AWS_ENDPOINT_URL_...), endpoint_url and "
        "credential_process in the AWS configuration; check with: aws sts get-caller-identity",
    )


def partition(settings: AwsSettings) -> str:
    """How ARNs begin where we collect: aws, aws-cn, aws-us-gov. By the region asked for or
    configured, without a call; aws where there is none."""
    silenced()
    try:
        session = boto3.Session(profile_name=settings.profile)
        region = next(iter(settings.region), session.region_name) or HOME_REGION
        return session.get_partition_for_region(region)
    except BotoCoreError:  # no such profile, or a region that botocore does not know
        return "aws"


def _first_client(way: Account) -> Any:
    quick = Config(
        retries={"total_max_attempts": min(_FIRST_ATTEMPTS, way.settings.max_attempts)},
        connect_timeout=_FIRST_WAIT,
        read_timeout=_FIRST_WAIT,
    )
    config = _config(way.settings).merge(quick)
    return way.session.client("sts", region_name=way.home_region, config=config)


def member_account(home: Account, account_id: str, name: str) -> Account:
    """Another account of the organization, by its role; no call is made before it is used.

    Its temporary credentials are renewed as long as the collect takes.
    """
    settings = home.settings
    partition = home.session.get_partition_for_region(home.home_region)
    extra = {"RoleSessionName": "costopt"}
    if settings.external_id:
        extra["ExternalId"] = settings.external_id
    source = home.session._session
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=partial(
            source.create_client, region_name=home.home_region, config=_config(settings)
        ),
        source_credentials=source.get_credentials(),
        role_arn=f"arn:{partition}:iam::{account_id}:role/{settings.role_name}",
        extra_args=extra,
    )
    core = CoreSession(profile=settings.profile)
    # The descriptions of the services take 20 MB a session: one copy for all accounts.
    core.register_component("data_loader", source.get_component("data_loader"))
    core.set_config_variable("region", home.home_region)
    core._credentials = DeferredRefreshableCredentials(  # type: ignore[attr-defined]
        refresh_using=fetcher.fetch_credentials, method="assume-role"
    )
    session = boto3.Session(botocore_session=core)
    return Account(account_id, name, session, settings, _clients=home._clients)


@contextlib.contextmanager
def told(problems: list[Problem], where: str, *, fatal: bool = True) -> Iterator[None]:
    """What AWS refuses inside the block becomes a problem, and the rest goes on.

    Args:
        where: account, region and call: "123456789012 eu-west-1 ec2:DescribeVolumes".
    """
    try:
        yield
    except FAILURES as error:
        problems.append(Problem(where, said(error), fatal=fatal))


def said(error: ClientError | BotoCoreError | ResponseParserError) -> str:
    """What AWS said, in one line and without secrets."""
    if isinstance(error, ResponseParserError):  # its text is the answer, whatever that holds
        return "the answer cannot be read: is there a proxy on the way?"
    if not isinstance(error, ClientError):
        return plain(str(error))[:300]
    told = error.response.get("Error", {})  # the code is one of AWS's own words: ExpiredToken
    return f"{told.get('Code', 'error')}: {plain(told.get('Message', ''))}"[:300]


def under(answer: Mapping[str, Any], key: str) -> Any:
    """What the answer has there; AWS gives a list without members, rather than none.

    Raises:
        ResponseParserError: it has nothing there, so it is no answer of AWS.
    """
    if key not in answer:
        raise ResponseParserError(f"an answer without {key}")
    return answer[key]


def denied(error: Exception) -> bool:
    """Whether it is a permission that lacks, rather than something that may pass."""
    return isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in DENIED


def _config(settings: AwsSettings) -> Config:
    """Adaptive: botocore's client-side rate limiter learns what the account allows."""
    return Config(
        retries={"mode": "adaptive", "total_max_attempts": settings.max_attempts},
        max_pool_connections=settings.max_concurrency + 1,
        connect_timeout=10,
        read_timeout=60,
        user_agent_extra="costopt",
    )
