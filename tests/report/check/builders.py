"""A check built by hand: a finding of each standing, and names that would steer what shows them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from costopt.model.check import About, Check, Unjudged, Verdict, Waiver

HOSTILE = (
    '\x1b[31mred\x1b]8;;https://evil\x07\u202eevil\r\n::error::x "<b>&amp;</b>" |`=1+1` @all 100%,'
    "\ud800]]>\x00" + "x" * 3_000
)


def about(id_: str = "idle-machine", **more: str) -> About:
    fields = {
        "title": "Machines that run are used",
        "description": "A machine that nobody uses costs as much as one that works.",
        "source": "https://example.com/why",
        "remediation": "Ask its owner, stop it.",
        "pack": "waste",
        "path": "policies/waste.yml",
    } | more
    return About(id=id_, severity="warning", line=7, **fields)  # type: ignore[arg-type]


def verdict(subject: str = "i-0aa11", **more: object) -> Verdict:
    fields: dict[str, object] = {
        "policy": "idle-machine",
        "severity": "warning",
        "name": f"name of {subject}",
        "message": f"{subject} is used by nobody",
        "remediation": "Ask its owner, stop it.",
        "monthly": Decimal("12.30"),
    }
    return Verdict(subject=subject, **fields | more)  # type: ignore[arg-type]


def waiver(of: Verdict, until: date = date(2027, 1, 31)) -> Waiver:
    return Waiver(of.finding_id, "team-web", "kept for the audit", until, "waivers.yml:3:5")


def check(*verdicts: Verdict) -> Check:
    return Check(
        as_of=datetime(2026, 11, 2, tzinfo=UTC),
        currency="USD",
        policies=(about(), about("untagged", title="Everything has an owner")),
        verdicts=verdicts,
        unjudged=(Unjudged("untagged", ("resource.tags",), ("i-1", "i-2")),),
        passed={"idle-machine": 3, "untagged": 0},
        resources=5,
        notes=("the bill ends on 2026-11-01",),
    )


def every() -> Check:
    """One that counts, one waived, one whose waiver is over, one of the baseline, one unpriced."""
    waived, lapsed = verdict("i-waived"), verdict("i-lapsed", severity="error")
    return check(
        verdict(severity="error"),
        verdict("i-lapsed", severity="error", waiver=waiver(lapsed), lapsed=True),
        verdict("i-waived", waiver=waiver(waived)),
        verdict("i-known", known=True),
        verdict("", name="the whole fleet", severity="note", monthly=None),
    )


def hostile() -> Check:
    return check(verdict(HOSTILE, name=HOSTILE, message=HOSTILE))
