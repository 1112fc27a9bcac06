"""What `costopt collect azure` takes, and what it refuses before any call."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from costopt.providers.azure.settings import AzureSettings
from tests.fakes.azure_cloud import guid


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"subscription": ("shop",)}, "'shop' is no id like 0000"),
        ({"subscription": (f"/subscriptions/{guid(1)}",)}, "is no id"),
        ({"region": ("eu-west-1",)}, "'eu-west-1' is no region, like westeurope"),
        ({"region": ("west'europe",)}, "no region"),
        ({"cloud": "germany"}, "'public', 'china' or 'usgov'"),
        ({"currency": "EURO"}, "'EURO' is no currency, like EUR"),
        ({"endpoint": "http://example.com"}, "http:// is for emulators on this machine"),
        ({"endpoint": "gateway.example.com"}, "no https address"),
        ({"export": ("https://a.blob.core.windows.net",)}, "not an address like"),
        ({"export": ("http://example.com/bills",)}, "not an address like"),
        ({"export": ("s3://bills/x",)}, "not an address like"),
        ({"export": ("no/such/folder",)}, "there is no such file or folder"),
        ({"max_api_cost": float("nan")}, "greater than or equal to 0"),
        ({"days": 94}, "less than or equal to 93"),
        ({"max_concurrency": 0}, "greater than or equal to 1"),
        ({"subscriptions": (guid(1),)}, "not permitted"),
    ],
)
def test_what_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AzureSettings(**given)


def test_a_signature_is_refused_and_not_repeated() -> None:
    place = "https://a.blob.core.windows.net/bills?sv=1&sig=c2VjcmV0"
    with pytest.raises(ValidationError, match="a shared access signature is not taken") as caught:
        AzureSettings(export=(place,))
    (error,) = caught.value.errors(include_input=False)
    assert "c2VjcmV0" not in error["msg"]


def test_regions_and_ids_may_be_written_as_the_portal_does() -> None:
    made = AzureSettings(
        region=("West Europe", "eastus2"), subscription=(guid(1).upper(),), currency="eur"
    )
    assert made.region == ("westeurope", "eastus2")
    assert made.subscription == (guid(1),)
    assert made.currency == "EUR"


@pytest.mark.parametrize(
    "text", ["2026-11-13", "2026-11-13T00:00:00Z", "2026-11-13T02:00:00+02:00"]
)
def test_moments_are_utc_where_they_name_no_zone(text: str) -> None:
    assert AzureSettings(until=text).until == datetime(2026, 11, 13, tzinfo=UTC)


def test_exports(tmp_path: Path) -> None:
    places = (str(tmp_path), "https://a.blob.core.windows.net/bills/daily focus")
    assert AzureSettings(export=places).export == places


@pytest.mark.parametrize(
    "address", ["https://gateway.example.com/", "http://127.0.0.1:8080", "http://[::1]:8080"]
)
def test_endpoints(address: str) -> None:
    assert AzureSettings(endpoint=address).endpoint == address.rstrip("/")


def test_an_export_that_is_no_folder_of_blobs_is_refused() -> None:
    account = "https://a.blob.core.windows.net/bills"
    for address, hint in (
        (f"{account}/focus/part_0_0001.csv", "give the folder"),
        (f"{account}/focus/part_0_0001.CSV.gz", "give the folder"),
        (f"{account}/focus #1", "is written %23"),
    ):
        with pytest.raises(ValidationError, match=hint):
            AzureSettings(export=(address,))
    assert AzureSettings(export=(f"{account}/my%20exports/focus",)).export
