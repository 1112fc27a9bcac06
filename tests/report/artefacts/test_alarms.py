"""Where each guard goes, what the files are called, and what is left out."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from costopt.report.artefacts import alarms
from costopt.report.artefacts.base import lasting, portions, rule, slug, watches
from tests.report import builders
from tests.report.artefacts import guards


def test_each_provider_gets_its_own_kind_of_alarm() -> None:
    files = alarms.alarms(guards.fleet())
    gcp = sorted(name for name in files if name.startswith("gcp-alert-policies/"))
    assert len(gcp) == 2
    assert sorted(files) == sorted(
        ["cloudwatch-alarms.json", "azure-metric-alerts.json", "prometheus-rules.yml", *gcp]
    )


def test_only_what_is_present_is_written() -> None:
    assert alarms.alarms(builders.report()) == {}
    assert alarms.alarms(builders.report((builders.stop(), builders.larger()))) == {}
    only = builders.report((guards.guarded("OnPrem"),))
    assert list(alarms.alarms(only)) == ["prometheus-rules.yml"]


@pytest.mark.parametrize(
    ("provider", "resource_id"),
    [
        ("AWS", "arn:aws:rds:eu-west-1:123456789012:db:orders"),
        ("AWS", "i-0123456789abcdef0\n"),
        ("AWS", "web-17"),
        ("Azure", "shop-checkout-7"),
        ("Azure", f"{guards.AZURE}/extensions/x"),
        ("Azure", "[concat('/subscriptions/', 'x')]"),
        ("GCP", "cache-2"),
        ("GCP", 'projects/shop-1/zones/z/instances/x"} or vector(1)'),
        ("GCP", "projects/../zones/z/instances/x"),
        ("GCP", "projects/-flag-1/zones/z/instances/x"),
        ("GCP", "projects/a:b/zones/z/instances/x"),
        ("GCP", "projects/short/zones/z/instances/x"),
        ("Azure", guards.AZURE.replace(guards.SUBSCRIPTION, "-" * 36)),
        ("Hetzner", "4711"),
    ],
)
def test_an_id_that_a_cloud_cannot_watch_becomes_a_prometheus_rule(
    provider: str, resource_id: str
) -> None:
    offer = builders.offer(provider_name=provider)
    report = builders.report((guards.guarded("OnPrem", resource_id=resource_id, current=offer),))
    assert list(alarms.alarms(report)) == ["prometheus-rules.yml"]
    assert alarms.elsewhere(report) == (provider != "Hetzner")


@pytest.mark.parametrize(
    ("provider", "resource_id", "file"),
    [
        ("Amazon Web Services", f"arn:aws:ec2:eu-west-1:123456789012:instance/{guards.AWS}",
         "cloudwatch-alarms.json"),
        ("Microsoft", guards.AZURE.lower(), "azure-metric-alerts.json"),
        ("Google Cloud", "4723948723984723", "gcp-alert-policies/"),
        ("GCP", guards.GCP.removeprefix("//compute.googleapis.com/"), "gcp-alert-policies/"),
    ],
)  # fmt: skip
def test_bills_spell_providers_and_ids_in_several_ways(
    provider: str, resource_id: str, file: str
) -> None:
    offer = builders.offer(provider_name=provider)
    report = builders.report((guards.guarded("OnPrem", resource_id=resource_id, current=offer),))
    assert all(name.startswith(file) for name in alarms.alarms(report))


def test_several_places_get_a_file_each() -> None:
    rows = (
        guards.guarded("AWS"),
        guards.guarded("AWS", resource_id="i-1111111111", sub_account_id="210987654321"),
        guards.guarded("GCP"),
        guards.guarded("GCP", resource_id="projects/shop-2/zones/z/instances/a"),
    )
    names = list(alarms.alarms(builders.report(rows)))
    assert names[:2] == [
        "cloudwatch-alarms-123456789012-eu-west-1.json",
        "cloudwatch-alarms-210987654321-eu-west-1.json",
    ]
    assert {name.split("/")[1] for name in names[2:]} == {"shop-1", "shop-2"}


def test_files_never_leave_the_folder_and_never_share_a_name() -> None:
    for provider in guards.PLACES:
        for name in alarms.alarms(guards.evil(provider)):
            assert re.fullmatch(r"(?:gcp-alert-policies/)?[A-Za-z0-9-]+\.(?:json|yml)", name)
    assert slug("a/b") != slug("a-b")
    assert slug("..") != ".."
    assert slug("a-b", "c") != slug("a", "b-c")


def test_the_same_report_gives_the_same_bytes_in_any_order() -> None:
    report = guards.fleet()
    turned = builders.replace(report, recommendations=report.recommendations[::-1])
    assert alarms.alarms(report) == alarms.alarms(turned)


def test_the_rule_counts_from_the_change_for_the_whole_horizon() -> None:
    report = builders.report((guards.guarded("AWS", guards.cpu()),))
    (at_once,) = watches(report, None)
    assert (at_once.since, at_once.until) == (builders.END, builders.END + timedelta(days=14))
    later = builders.END + timedelta(days=3, hours=10)
    (delayed,) = watches(report, later)
    assert (delayed.since, delayed.until) == (later, later + timedelta(days=14))


def test_the_rule_says_what_is_allowed_for_and_why() -> None:
    def told(**allowed: int) -> str:
        guard = builders.replace(guards.cpu(60), **allowed)
        (watch,) = watches(builders.report((guards.guarded("AWS", guard),)), None)
        return rule(watch)

    assert told().endswith("UTC.")
    assert told(allowed_today=3, allowed_disputed=36).endswith(
        "UTC. Allowed of these, by its past: 36 for brief CPU spikes that no other metric confirms "
        "and 3 for load that is over the former machine's limit, too."
    )


def test_what_has_no_guard_is_told() -> None:
    rows = (guards.guarded("AWS"), builders.stop("a"), builders.stop("b"))
    assert alarms.left_out(builders.report(rows)) == [
        "2 recommendations stop the machine and need no guard"
    ]
    bare = builders.recommendation("c", guards=())
    assert alarms.left_out(builders.report((builders.stop(), builders.larger(), bare))) == [
        "1 recommendation stops the machine and needs no guard",
        "1 recommendation takes a larger machine and needs no guard",
        "1 recommendation has no guard",
    ]


def test_portions_keep_to_both_limits() -> None:
    resources = [(f"r{number}", {"text": "x" * 80}) for number in range(25)]
    by_number = list(portions(resources, most=10, most_bytes=10**6))
    assert [len(part) for part in by_number] == [10, 10, 5]
    by_size = list(portions(resources, most=100, most_bytes=2000))
    assert sum(len(part) for part in by_size) == 25
    assert all(len(json.dumps({"r": part}, indent=2)) <= 2000 for part in by_size)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(300, "5 minutes"), (60, "1 minute"), (3600, "1 hour"), (90, "90 seconds")],
)
def test_lengths_of_time_are_said(seconds: int, said: str) -> None:
    assert lasting(seconds) == said
