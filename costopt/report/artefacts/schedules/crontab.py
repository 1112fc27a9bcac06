"""Weekly plans as crontabs that call the clouds' own commands: a table for each time zone.

CRON_TZ is cronie's (Red Hat, SUSE, Arch, Alpine's package). Debian's and Ubuntu's cron do not know
it: there the machine itself must be in the table's zone. Cron knows no years: what is for one date
asks for the year, and what is not for one asks for the date, both on the table's wall clock.

Source: crontab(5) of cronie (CRON_TZ, % in a command) and cron(8) ("daylight saving time": jobs in
an hour left out run right after it); Debian's cron ("Debian Specific", local time only; commands of
at most 998 characters).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from costopt.model.week import DayPlan, WeekPlan
from costopt.report.artefacts.base import Artefact, slug
from costopt.report.artefacts.schedules import clock, cron, timetable
from costopt.report.artefacts.schedules.base import Scheduled, by_place, single_dates
from costopt.report.artefacts.schedules.commands import as_shell, command
from costopt.report.artefacts.schedules.restriction import most_days, with_days
from costopt.report.artefacts.schedules.timetable import Firing, Once

FOLDER: Final = "crontabs"
_LONGEST: Final = 990  # characters of a line
_HEADER: Final = """\
# Starts, stops and scales by the time of the week in {zone} (costopt).
# CRON_TZ is cronie's; where cron does not know it (Debian, Ubuntu), cron itself must run in that
# zone. What falls into an hour that clocks leave out is said again at the hour's end; an hour that
# comes twice may run a job twice, which does no harm. Missed while this machine is off: missed.
CRON_TZ={zone}
"""


def stands_for(one: Scheduled) -> bool:
    """Whether a cloud's command is known for it, by its id."""
    return command(one, 0) is not None


def refusal(one: Scheduled) -> str | None:
    """A command that is too long for cron."""
    lines = _lines(with_days(one.plan, ()), one)
    if any(len(line) > _LONGEST for line in lines):
        return f"its command has over {_LONGEST} characters, which cron does not take"
    return None


def missing(one: Scheduled) -> list[str]:
    """The dates for which a line has no room."""
    return single_dates(
        one.plan.days[len(_days(one)) :], f"a line of cron has room for {_LONGEST} characters"
    )


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """A crontab for each time zone."""
    found = []
    for (zone,), ones in by_place(held, lambda one: (one.plan.time_zone,)).items():
        path = f"{FOLDER}/{slug(*zone.split('/'))}.crontab"
        text = _HEADER.format(zone=zone) + "".join(_entry(one) for one in ones)
        deploy = f"crontab -l > crontab.old; cat crontab.old DIR/{path} | crontab -"
        found.append(Artefact(path, text.encode(), deploy))
    return found


def _entry(one: Scheduled) -> str:
    lines = _lines(with_days(one.plan, _days(one)), one)
    return "\n".join((f"\n# {one.label}", *lines)) + "\n"


def _lines(plan: WeekPlan, one: Scheduled) -> list[str]:
    weekly = [_weekly(firing, plan, one) for firing in one.firings]
    return weekly + [_once(moment, one) for moment in timetable.once(plan)]


def _weekly(firing: Firing, plan: WeekPlan, one: Scheduled) -> str:
    line = _run(one, firing.level)
    if blocked := [day.day for day in plan.days if day.day.weekday() in firing.weekdays]:
        line = f"case {_today(one)} in {'|'.join(map(str, blocked))}) ;; *) {line};; esac"
    return f"{cron.weekly(firing)} {_escaped(line)}"


def _once(moment: Once, one: Scheduled) -> str:
    at = clock.wall(moment.at, one.plan.time_zone)
    line = f"case {_today(one)} in {at:%Y-%m-%d}) {_run(one, moment.level)};; esac"
    return f"{cron.yearly(at)} {_escaped(line)}"


def _today(one: Scheduled) -> str:
    """The date on the table's wall clock, which a job's own clock need not be."""
    return f"$(TZ={one.plan.time_zone} date +%Y-%m-%d)"


def _run(one: Scheduled, level: int) -> str:
    words = command(one, level)
    assert words is not None, "only what stands_for() took comes here"
    return as_shell(words)


def _escaped(line: str) -> str:
    """In a crontab % is the end of the line."""
    return line.replace("%", "\\%")


def _days(one: Scheduled) -> tuple[DayPlan, ...]:
    def fits(days: tuple[DayPlan, ...]) -> bool:
        return all(len(line) <= _LONGEST for line in _lines(with_days(one.plan, days), one))

    return most_days(one, fits)
