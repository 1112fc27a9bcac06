"""The fake keeps the limits of the real one, so that a plan that broke one would fail."""

from __future__ import annotations

import json

import pytest

from tests.fakes.azure_arm import Call
from tests.fakes.azure_monitor import SCALES, Monitor
from tests.providers.azure.monitored import BANK, NOW, SHOP, VM, fleet, machine

QUERY = {
    "starttime": "2026-10-04T00:00:00Z",
    "endtime": "2026-10-05T00:00:00Z",
    "interval": "PT5M",
    "metricnamespace": VM,
    "metricnames": "Percentage CPU",
    "aggregation": "average",
}
MACHINES = [
    *fleet(51),
    machine(99, region="northeurope"),
    machine(7, BANK),
    machine(5, member_of="pool"),
]
IDS = [one.measured.resource_id for one in MACHINES]


def _status(ids: list[str], **query: str) -> tuple[int, str]:
    monitor = Monitor(NOW)
    for one in MACHINES:
        monitor.machines[one.id] = one.measured
    body = json.dumps({"resourceids": ids}).encode()
    path = f"/subscriptions/{SHOP}/metrics:getBatch"
    answer = monitor.service(Call("POST", path, {**QUERY, **query}, {}, body))
    assert answer is not None
    return answer.status, answer.body.decode()


def test_what_is_within_the_limits_is_answered() -> None:
    status, body = _status(IDS[:50])
    assert status == 200
    assert len(json.loads(body)["values"]) == 50


@pytest.mark.parametrize(
    ("ids", "query", "why"),
    [
        (IDS[:51], {}, "51 resource ids"),
        ([], {}, "0 resource ids"),
        ([IDS[0], IDS[0].lower()], {}, "unique"),
        ([IDS[0], IDS[51]], {}, "several regions or types"),
        ([IDS[0], IDS[53]], {}, "several regions or types"),
        ([IDS[52]], {}, "another subscription"),
        ([IDS[0]], {"metricnames": ",".join(["Percentage CPU"] * 21)}, "21 bigger than"),
        ([IDS[0]], {"metricnames": "Percentage GPU"}, f"Valid metrics: {next(iter(SCALES))}"),
        ([IDS[0]], {"starttime": "2026-09-01T00:00:00Z"}, "thirty days"),
        ([IDS[0]], {"interval": "PT7M"}, "time grain"),
        ([IDS[0]], {"aggregation": "p95"}, "aggregation"),
        ([IDS[0]], {"metricnamespace": "azure.vm.linux.guestmetrics"}, "custom namespaces"),
        (
            [IDS[0]],
            {"starttime": "2026-06-01T00:00:00Z", "endtime": "2026-06-02T00:00:00Z"},
            "retention period",
        ),
    ],
)
def test_what_is_beyond_them_is_refused(ids: list[str], query: dict[str, str], why: str) -> None:
    status, body = _status(ids, **query)
    assert status == 400
    assert why in body
