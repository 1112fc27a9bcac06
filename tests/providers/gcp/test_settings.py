"""What `costopt collect gcp` takes, and what it refuses before any call."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from costopt.providers.gcp.settings import GcpSettings


@pytest.mark.parametrize(
    "name", ["shop-prod-1", "abcdef", "example.com:shop-prod-1", "a" + "b" * 28 + "c"]
)
def test_projects(name: str) -> None:
    assert GcpSettings(project=(name,)).project == (name,)


@pytest.mark.parametrize("name", ["europe-west1", "us-central1", "northamerica-northeast2"])
def test_regions(name: str) -> None:
    assert GcpSettings(region=(name,)).region == (name,)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"project": ("Shop",)}, "'Shop' is no project id, like my-project-1"),
        ({"project": ("shop-prod-1/../x",)}, "no project id"),
        ({"project": ("short",)}, "no project id"),
        ({"region": ("europe-west1-b",)}, "no region, like europe-west1"),
        ({"folder": ("folders/12",)}, "no number of a folder"),
        ({"organization": "example.com"}, "no number of a folder or organization"),
        ({"billing_table": "table"}, "no table, like project.dataset"),
        ({"billing_table": "p.d.t`; DROP"}, "no table"),
        ({"export": ("s3://bucket/x",)}, "not an address like gs://bucket/prefix"),
        ({"export": ("no/such/folder",)}, "there is no such file or folder"),
        ({"billing_table": "p.d.t", "export": ("gs://bills/x",)}, "name one of them"),
        ({"max_api_cost": float("nan")}, "greater than or equal to 0"),
        ({"days": 0}, "greater than or equal to 1"),
        ({"project_id": "x"}, "Extra inputs"),
    ],
)
def test_what_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        GcpSettings(**given)


def test_exports_are_buckets_or_what_lies_on_disk(tmp_path: Path) -> None:
    places = ("gs://my-bills", "gs://my.bills/a/b", str(tmp_path))
    assert GcpSettings(export=places).export == places
