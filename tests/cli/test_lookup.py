"""Which resource a person means."""

import pytest

from costopt.cli.lookup import resource_named
from costopt.errors import ConfigError
from costopt.model import Resource

FLEET = {
    r.resource_id: r
    for r in (
        Resource("i-1", "AWS", resource_name="Web-1"),
        Resource("i-2", "AWS", resource_name="twin"),
        Resource("i-3", "GCP", resource_name="twin"),
        Resource("i-4", "GCP", resource_name="i-2"),
        Resource("i-5", "GCP"),
    )
}


@pytest.mark.parametrize(
    ("wanted", "resource_id"),
    [("i-1", "i-1"), ("web-1", "i-1"), ("I-5", "i-5"), ("i-2", "i-2")],
)
def test_by_id_or_name(wanted: str, resource_id: str) -> None:
    assert resource_named(FLEET, wanted).resource_id == resource_id


def test_a_name_of_several_lists_their_ids() -> None:
    with pytest.raises(ConfigError, match="2 resources are named 'TWIN'") as found:
        resource_named(FLEET, "TWIN")
    assert "i-2, i-3" in found.value.hint


def test_an_unknown_name_shows_the_nearest() -> None:
    with pytest.raises(ConfigError, match="no resource has the id or name 'web-2'") as found:
        resource_named(FLEET, "web-2")
    assert "did you mean web-1" in found.value.hint
    with pytest.raises(ConfigError) as far:
        resource_named(FLEET, "\x1b[31mzzzzzzzz")
    assert "\x1b" not in str(far.value)
