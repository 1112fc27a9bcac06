"""One class of own machines: everything that its answer rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from costopt.report.move.own_inputs import WORDS, told
from costopt.report.move.own_pages import blocks, percent
from costopt.report.screen import HEAD, PLAIN, QUIET, STRONG, Screen, Span
from costopt.rules.move.own import Owned
from costopt.rules.move.own_answer import Answer
from costopt.rules.move.own_racks import Racks
from costopt.rules.move.own_sums import Rack
from costopt.rules.move.own_told import skips
from costopt.rules.move.subjects import Subject, in_words

_SHOWN: Final = 20


def own_story(owned: Owned, wanted: str, *, width: int, colour: bool = False) -> str | None:
    """The story of the class of that name; None where the file has none of it."""
    answers = [one for one in owned.answers if one.kind.name == wanted]
    racks = [one for one in owned.racks if one.name == wanted]
    if not answers and not racks:
        return None
    screen = Screen(width, colour=colour)
    screen.blank()
    for head, lines in blocks(owned, wanted):
        screen.line((head, STRONG))
        for label, text in lines:
            screen.labelled(label, text)
        screen.blank()
    for one in racks:
        _standing(screen, one)
    for answer in answers:
        _replaced(screen, answer)
        _left(screen, answer)
        _swings(screen, answer)
        _refused(screen, answer)
    for rate in owned.rates:
        screen.paragraph(f"{rate}.", QUIET)
        screen.blank()
    return screen.text()


def _standing(screen: Screen, one: Racks) -> None:
    """What runs on those that are owned."""
    if not one.members:
        return
    screen.title("On those that are owned")
    rows: list[Sequence[Span]] = [[(head, HEAD) for head in ("Machine", "Needs")]]
    rows += [
        [(_name(member), PLAIN), (in_words(member) or "nothing that is known", QUIET)]
        for member in one.members[:_SHOWN]
    ]
    screen.table(rows, [False, False])
    _rest(screen, len(one.members))


def _replaced(screen: Screen, answer: Answer) -> None:
    """Machine by machine that is bought."""
    if not answer.taken:
        return
    screen.title("What they take the place of")
    heads = ("", "Machine", "An hour", "Paid for", "Pays from", "Saves a month")
    rows: list[Sequence[Span]] = [[(head, HEAD) for head in heads]]
    for number, rack in enumerate(answer.taken[:_SHOWN], start=1):
        rows += _members(answer, rack, number)
    screen.table(rows, [True, False, True, True, True, True])
    _rest(screen, len(answer.taken))


def _members(answer: Answer, rack: Rack, number: int) -> list[Sequence[Span]]:
    found: list[Sequence[Span]] = []
    for place, one in enumerate(rack.members):
        first = place == 0
        found.append(
            [
                (f"{number}" if first else "", QUIET),
                (_name(one.subject), PLAIN),
                (f"{one.hourly:,.4g}", PLAIN),
                (percent(one.use.expected), PLAIN),
                (percent(rack.break_even) if first else "", PLAIN),
                (f"{answer.bought.part(rack, one).target:,.2f}", PLAIN),
            ]
        )
    return found


def _left(screen: Screen, answer: Answer) -> None:
    """What could be on one, and stays."""
    found = list(skips(answer))
    if not found:
        return
    screen.title("What stays in the cloud")
    for skip in found[:_SHOWN]:
        screen.labelled(skip.resource_id, f"{skip.detail} ({skip.reason})")
    _rest(screen, len(found))


def _swings(screen: Screen, answer: Answer) -> None:
    """The whole tornado, in words."""
    found = answer.swings()
    if not found:
        return
    screen.title("What the break-even hangs on")
    currency = answer.site.currency
    heads = ("", f"Low ({currency})", "High", "Break-even, low", "High")
    rows: list[Sequence[Span]] = [[(head, HEAD) for head in heads]]
    rows += [
        [
            (WORDS[one.name], PLAIN),
            (told(one.name, one.low), PLAIN),
            (told(one.name, one.high), PLAIN),
            (percent(one.at_low), PLAIN),
            (percent(one.at_high), PLAIN),
        ]
        for one in found
    ]
    screen.table(rows, [False, True, True, True, True])
    screen.blank()


def _refused(screen: Screen, answer: Answer) -> None:
    """What was asked, and will not do, by why."""
    codes = Counter(answer.refused.values())
    if not codes:
        return
    screen.title("What cannot go there")
    for (code, why), count in sorted(codes.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]:
        screen.labelled(f"{count:,}", f"{why} ({code})")
    screen.blank()


def _name(one: Subject) -> str:
    return one.resource.resource_name or one.resource.resource_id


def _rest(screen: Screen, count: int) -> None:
    if count > _SHOWN:
        screen.paragraph(f"and {count - _SHOWN:,} more", QUIET)
    screen.blank()
