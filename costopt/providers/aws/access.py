"""Ways into AWS: sessions of the accounts, clients with bounded retries, errors as problems.

Nothing secret is told: of an error only its code and AWS's sentence are kept, with anything in it
that looks like a key, a token or a signature struck out.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session as CoreSession

from costopt.errors import ProviderError
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem

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

_SECRET: Final = re.compile(
    r"(?i)((?:X-Amz-(?:Signature|Security-Token|Credential)|Signature|AWSAccessKeyId|token)=)[^&\s\"']+"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|encoded authorization failure message: \S+"
)


@dataclass(eq=False)
class Account:
    """One account's way in. Clients are kept; making them is one thread's work at a time."""

    account_id: str
    name: str  # "" = not known
    session: boto3.Session
    settings: AwsSettings
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, service: str, region: str = HOME_REGION) -> Any:
        """The client of a service in a region; throttling makes it slower, and never endless."""
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = self.session.client(  # type: ignore[call-overload]
                    service, region_name=region, config=_config(self.settings)
                )
            return self._clients[service, region]

    def regions(self) -> tuple[str, ...]:
        """Those asked for, else all that the account has enabled, by name.

        Raises:
            ClientError, BotoCoreError: the account does not say.
        """
        if self.settings.region:
            return self.settings.region
        told = self.client("ec2").describe_regions(AllRegions=False)["Regions"]
        return tuple(sorted(one["RegionName"] for one in told))


def own_account(settings: AwsSettings) -> Account:
    """The account that the user's credentials are of.

    Raises:
        ProviderError: there are none, or AWS refuses them.
    """
    try:
        session = boto3.Session(profile_name=settings.profile)
        way = Account("", "", session, settings)
        way.account_id = way.client("sts").get_caller_identity()["Account"]
    except (ClientError, BotoCoreError) as error:
        raise ProviderError(
            f"AWS does not let us in: {said(error)}",
            hint="check with: aws sts get-caller-identity; --profile chooses another one",
        ) from None
    return way


def member_account(home: Account, account_id: str, name: str) -> Account:
    """Another account of the organization, by its role; no call is made before it is used.

    Its temporary credentials are renewed as long as the collect takes.
    """
    settings = home.settings
    partition = home.session.get_partition_for_region(home.session.region_name or HOME_REGION)
    extra = {"RoleSessionName": "costopt"}
    if settings.external_id:
        extra["ExternalId"] = settings.external_id
    source = home.session._session
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=source.create_client,
        source_credentials=source.get_credentials(),
        role_arn=f"arn:{partition}:iam::{account_id}:role/{settings.role_name}",
        extra_args=extra,
    )
    core = CoreSession()
    core._credentials = DeferredRefreshableCredentials(  # type: ignore[attr-defined]
        refresh_using=fetcher.fetch_credentials, method="assume-role"
    )
    return Account(account_id, name, boto3.Session(botocore_session=core), settings)


@contextlib.contextmanager
def told(problems: list[Problem], where: str, *, fatal: bool = True) -> Iterator[None]:
    """What AWS refuses inside the block becomes a problem, and the rest goes on.

    Args:
        where: account, region and call: "123456789012 eu-west-1 ec2:DescribeVolumes".
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        problems.append(Problem(where, said(error), fatal=fatal))


def said(error: ClientError | BotoCoreError) -> str:
    """What AWS said, in one line and without secrets."""
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        text = f"{told.get('Code', 'error')}: {told.get('Message', '')}"
    else:
        text = str(error)
    plain = _SECRET.sub(lambda found: f"{found[1] or ''}***", " ".join(text.split()))
    return plain[:300]


def denied(error: ClientError) -> bool:
    """Whether it is a permission that lacks, rather than something that may pass."""
    return error.response.get("Error", {}).get("Code") in DENIED


def _config(settings: AwsSettings) -> Config:
    """Adaptive: botocore's client-side rate limiter learns what the account allows."""
    return Config(
        retries={"mode": "adaptive", "total_max_attempts": settings.max_attempts},
        max_pool_connections=settings.max_concurrency + 1,
        connect_timeout=10,
        read_timeout=60,
        user_agent_extra="costopt",
    )
