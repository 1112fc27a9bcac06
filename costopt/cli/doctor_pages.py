"""What `costopt doctor` shows people: the lake, how far to rely on it, one resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from costopt import schema
from costopt.frame.quality import REMEDIES, barred
from costopt.frame.tally import Tally, tally, usable
from costopt.lake.holdings import Holdings
from costopt.model import Finding, FindingLevel, Profile, Resource
from costopt.pipeline import Observed
from costopt.providers.base import Check
from costopt.report.safe import terminal
from costopt.report.screen import HEAD, MARGIN, PLAIN, QUIET, STRONG, WARN, Screen, Span
from costopt.units import counted

WIDTH: Final = 110
_MOST_FAILURES: Final = 20
"""So many are shown one by one: a refusal in every region of every account fills no screens."""
_LATE: Final = timedelta(days=1)
"""A source this far behind the newest one is worth a look."""


def fleet(
    held: Holdings, seen: Observed | None, doubts: Sequence[str], *, width: int, colour: bool
) -> bytes:
    """For people; without `seen` (nothing measured yet) only what the lake holds, and `doubts`:
    what in the settings has no effect."""
    screen = Screen(width, colour=colour)
    screen.title("What the lake holds")
    _holdings(screen, held)
    if seen is not None:
        _freshness(screen, held, seen)
        _quality(screen, seen)
    if doubts:
        screen.blank()
        screen.title("What in the settings has no effect")
        for text in doubts:
            screen.bullet(text, WARN, indent=MARGIN)
    return screen.text().encode()


def checks(tried: Sequence[Check]) -> str:
    """A provider's checks by name, in the order tried: what passed alike in several places in one
    line; of what failed the first 20, and how many more."""
    lines, shown = [], 0
    for name in dict.fromkeys(one.name for one in tried):
        alike = [one for one in tried if one.name == name]
        for detail in dict.fromkeys(one.detail for one in alike if one.passed):
            passed = [one for one in alike if one.passed and one.detail == detail]
            mark = "ok    " if passed[0].tried else "--    "
            lines += _check(mark, passed[0], _places(passed, len(alike)))
        for one in (one for one in alike if not one.passed):
            if shown < _MOST_FAILURES:
                lines += _check("FAILED", one, one.where)
            shown += 1
    if shown > _MOST_FAILURES:
        failed = Counter(one.name for one in tried if not one.passed)
        each = ", ".join(f"{terminal(name)} {many:,}" for name, many in failed.items())
        lines.append(f"  and {shown - _MOST_FAILURES:,} more failures; in all: {each}")
    return "\n".join(lines)


def _check(mark: str, one: Check, where: str) -> list[str]:
    """In a line, two where there is something to say of it."""
    line = f"  {mark}  {terminal(one.name)}  {terminal(where)}".rstrip()
    return [line, f"          {terminal(one.detail)}"] if one.detail else [line]


def _places(passed: Sequence[Check], tried: int) -> str:
    if len(passed) == 1:
        return passed[0].where
    return (
        f"in {len(passed):,} places" if len(passed) == tried else f"in {len(passed):,} of {tried:,}"
    )


def verdict(provider: str, tried: Sequence[Check]) -> str:
    """What the checks come to, and what next.

    Args:
        provider: its name, and the options that the user gave.
    """
    failed = [one for one in tried if not one.passed]
    if not failed:
        all_of = "All" if all(one.tried for one in tried) else "All that was tried"
        return f"\n{all_of} passed. Next: costopt collect {provider}"
    text = f"\n{counted(len(failed), 'check')} failed."
    if not any(one.refused for one in failed):
        return text
    return f"{text} What has to be granted: costopt doctor {provider} --policy"


def _holdings(screen: Screen, held: Holdings) -> None:
    screen.labelled("Resources", _each(held.resources) or "none")
    screen.labelled("Samples", _days(held.days))
    for provider, months in held.bills.items():
        rows = sum(months.values())
        screen.labelled(
            "Bill", f"{provider or '?'}: {counted(rows, 'row')} of {_span(list(months))}"
        )
    screen.labelled("Of your own", _priced(held.own_prices, held.own_shapes))
    listed = held.prices - held.own_prices, held.shapes - held.own_shapes
    if any(listed):
        screen.labelled("Of providers", _priced(*listed))


def _each(counts: Mapping[str, int]) -> str:
    listed = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return f"{sum(counts.values()):,} ({listed})" if counts else ""


def _priced(prices: int, shapes: int) -> str:
    found = [
        counted(count, name, ",") for count, name in ((prices, "price"), (shapes, "shape")) if count
    ]
    return ", ".join(found) or "no prices, no shapes"


def _days(days: Sequence[date]) -> str:
    if not days:
        return "none"
    span = (days[-1] - days[0]).days + 1
    holes = f"; none on {counted(span - len(days), 'day')} between" if span > len(days) else ""
    return f"{counted(len(days), 'day')}, {days[0]} to {days[-1]}{holes}"


def _span(months: Sequence[str]) -> str:
    return months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"


def _freshness(screen: Screen, held: Holdings, seen: Observed) -> None:
    screen.blank()
    end = seen.window.end
    screen.title(f"How fresh it is, as of {end:%Y-%m-%d %H:%M} UTC")
    rows: list[list[Span]] = [[(name, HEAD) for name in ("Source", "Final until", "", "Metrics")]]
    for source, metrics in sorted(held.watermarks.items()):
        minutes = {name: mark.replace(second=0, microsecond=0) for name, mark in metrics.items()}
        for until in sorted(set(minutes.values()), reverse=True):
            names = ", ".join(sorted(name for name, minute in minutes.items() if minute == until))
            stamp = (f"{until:%Y-%m-%d %H:%M}", PLAIN)
            rows.append([(source, PLAIN), stamp, _remark(until, end), (names, QUIET)])
    screen.table(rows, [False] * 4)


def _remark(until: datetime, end: datetime) -> Span:
    if until > end:
        return "after the moment judged from", QUIET
    if end - until > _LATE:
        return f"{(end - until) / timedelta(days=1):.1f} days behind", WARN
    return "", PLAIN


def _quality(screen: Screen, seen: Observed) -> None:
    screen.blank()
    passed, machines = usable(seen.resources, seen.findings)
    screen.title("How far it can be relied on")
    look = STRONG if passed else WARN
    screen.line((f"{passed:,} of {counted(machines, 'machine')} can be judged", look))
    tallies = tally(seen.findings)
    if not tallies:
        screen.line(("nothing wrong with any of their data", PLAIN))
        return
    screen.blank()
    heads = ("Check", "Seen", "Metric unusable", "Not judged", "For example", "")
    rows: list[list[Span]] = [[(name, HEAD) for name in heads]]
    rows += [_row(one, seen.resources) for one in tallies]
    screen.table(rows, [False, True, True, True, False, False])
    screen.blank()
    for one in tallies:
        if one.gated and one.check in REMEDIES:
            screen.bullet(f"{one.check}: {REMEDIES[one.check]}", indent=MARGIN)
    screen.bullet("costopt doctor --resource ID tells all of one resource", QUIET, indent=MARGIN)


def _row(one: Tally, resources: Mapping[str, Resource]) -> list[Span]:
    found = one.example
    known = resources.get(found.resource_id)
    name = (known.resource_name if known else None) or found.resource_id
    return [
        (one.check, WARN if one.gated else PLAIN),
        (f"{one.seen:,}", PLAIN),
        (f"{one.gated:,}" if one.gated else "-", PLAIN),
        (f"{one.barred:,}" if one.barred else "-", PLAIN),
        (name, QUIET),
        (": ".join(part for part in (found.metric_name, found.example) if part), QUIET),
    ]


# -- one resource ----------------------------------------------------------------------------


def resource(resource_id: str, seen: Observed, *, width: int, colour: bool) -> bytes:
    """Its series and everything the gate says of them."""
    screen = Screen(width, colour=colour)
    known = seen.resources.get(resource_id)
    name = known.resource_name if known else None
    screen.title(f"{resource_id} ({name})" if name else resource_id)
    findings = seen.findings[resource_id]
    bar = barred(findings)
    if bar is not None:
        screen.paragraph(f"Not judged ({bar.check}): {bar.detail}", WARN)
    _series(screen, seen.profiles.get(resource_id, ()))
    screen.blank()
    for finding in findings:
        _story(screen, finding)
    if not findings:
        screen.line(("the quality gate found nothing wrong with its data", PLAIN))
    return screen.text().encode()


def _series(screen: Screen, series: Sequence[Profile]) -> None:
    heads = ("Series", "Every", "From", "To", "Samples", "Present", "P50", "P99.5", "Highest")
    rows: list[list[Span]] = [[(head, HEAD) for head in heads]]
    rows += [[(cell, PLAIN) for cell in _series_cells(profile)] for profile in series]
    screen.table(rows, [False] * 4 + [True] * 5)


def _series_cells(profile: Profile) -> list[str]:
    unit = schema.metric_unit(profile.metric_name)
    statistic = "" if profile.statistic == "mean" else profile.statistic
    parts = (profile.metric_name, profile.device, statistic, f"({unit})" if unit else "")
    return [
        " ".join(part for part in parts if part),
        f"{profile.period_seconds} s",
        f"{profile.first:%Y-%m-%d}",
        f"{profile.last:%Y-%m-%d}",
        f"{profile.count:,}",
        f"{100 * profile.coverage:.1f} %",
        *(f"{value:,.4g}" for value in (profile.p50, profile.p99_5, profile.max)),
    ]


def _story(screen: Screen, finding: Finding) -> None:
    gating = finding.level is FindingLevel.GATE
    place = f" of {finding.metric_name}" if finding.metric_name else ""
    verdict = "unusable" if gating else "noted"
    screen.bullet(f"{finding.check}{place}, {verdict}: {finding.detail}", WARN if gating else PLAIN)
    screen.paragraph(f"for example: {finding.example}", QUIET, indent=2 * MARGIN)
