"""What can be asked of `costopt collect azure`; each field becomes an option."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from costopt.providers.fields import Moment, Part

CloudName = Literal["public", "china", "usgov"]

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_A_FILE: Final = re.compile(r"\.(csv|csv\.gz|parquet|json)$", re.IGNORECASE)
_REGION: Final = re.compile(r"[a-z]+[a-z0-9]*")


def _guid(text: str) -> str:
    found = text.strip().lower()
    if not _GUID.fullmatch(found):
        raise ValueError(f"{text!r} is no id like 00000000-0000-0000-0000-000000000001")
    return found


def _region(name: str) -> str:
    found = name.replace(" ", "").lower()
    if not _REGION.fullmatch(found):
        raise ValueError(f"{name!r} is no region, like westeurope")
    return found


def _currency(code: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", code):
        raise ValueError(f"{code!r} is no currency, like EUR")
    return code.upper()


def _endpoint(address: str) -> str:
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme == "https" and host:
        return address.rstrip("/")
    if parts.scheme == "http" and (host == "localhost" or _loopback(host)):
        return address.rstrip("/")
    raise ValueError("no https address; http:// is for emulators on this machine")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


Guid = Annotated[str, AfterValidator(_guid)]
RegionName = Annotated[str, AfterValidator(_region)]
Currency = Annotated[str, AfterValidator(_currency)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]


class AzureSettings(BaseModel):
    """Collect Azure subscriptions, or all that can be seen.

    Credentials come from where Azure's own libraries find them (DefaultAzureCredential: az login, a
    service principal in the environment, workload or managed identity). Nothing is changed in any
    subscription; `costopt doctor azure` prints the least role that suffices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    subscription: tuple[Guid, ...] = Field(
        (), description="id of a subscription to look into; without any, all visible ones"
    )
    region: tuple[RegionName, ...] = Field(
        (), description="region to look into; without any, all of them"
    )
    cloud: CloudName = Field("public", description="Azure's cloud: public, china or usgov")
    endpoint: Endpoint | None = Field(
        None, description="address to send every call to instead: a gateway, or an emulator"
    )
    days: int = Field(60, ge=1, le=93, description="days of metrics to ask for")
    until: Moment | None = Field(
        None, description="collect metrics up to this moment (ISO, UTC); without it, now"
    )
    export: tuple[str, ...] = Field(
        (),
        description="where a Cost Management export is: "
        "https://ACCOUNT.blob.core.windows.net/CONTAINER/prefix, or path",
    )
    currency: Currency = Field("USD", description="currency of the list prices")
    skip: tuple[Part, ...] = Field((), description="leave out metrics, charges, prices or advice")
    dry_run: bool = Field(
        False,
        description="list what there is, say what the paid calls would cost and which months of a "
        "bill would be read, and stop",
    )
    max_api_cost: float = Field(
        10.0, ge=0, description="dollars that the paid calls may cost; above, none is made"
    )
    max_concurrency: int = Field(4, ge=1, le=64, description="calls under way at a time")
    max_attempts: int = Field(
        8, ge=1, le=50, description="tries of a call that is throttled or fails on their side"
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for place in self.export:
            if "://" in place:
                _container(place)
            elif not Path(place).exists():
                raise ValueError(f"--export {place}: there is no such file or folder")
        return self


def _container(place: str) -> None:
    parts = urlsplit(place)
    if parts.fragment:
        raise ValueError(f"--export {place}: a # in a name is written %23")
    if _A_FILE.search(parts.path):
        raise ValueError(f"--export {place}: names a file; give the folder that it lies in")
    if parts.query:  # what follows would be a signature
        raise ValueError("--export: without a ?: a shared access signature is not taken")
    secure = parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname or ""))
    if not secure or not parts.path.strip("/"):
        example = "https://ACCOUNT.blob.core.windows.net/CONTAINER/prefix"
        raise ValueError(f"--export {place}: not an address like {example}")
