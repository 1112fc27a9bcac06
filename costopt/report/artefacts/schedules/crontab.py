"""Weekly plans as blocks of a crontab that call the clouds' own commands.

A block is one resource's, between two lines that name it. The script puts it into the table of the
user who runs it, in place of the one that was there, and at the end: CRON_TZ and PATH hold for all
lines below them. The PATH is that of the script, for cron's own seldom has the clouds' commands.
The table as it was is kept beside, by its moment.

CRON_TZ is cronie's (Red Hat, SUSE, Arch, Alpine's package). Debian's and Ubuntu's cron do not know
it: there the machine itself must be in the block's zone. Cron knows no years: what is for one date
asks for the year, and what is not for one asks for the date, both on the block's wall clock.

Source: crontab(5) of cronie (CRON_TZ, % in a command) and cron(8) ("daylight saving time": jobs in
an hour left out run right after it); Debian's cron ("Debian Specific", local time only; commands of
at most 998 characters).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from costopt.model.week import DayPlan, WeekPlan
from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules import clock, cron, script, timetable
from costopt.report.artefacts.schedules.base import Scheduled, single_dates
from costopt.report.artefacts.schedules.commands import as_shell, command
from costopt.report.artefacts.schedules.restriction import most_days, with_days, without
from costopt.report.artefacts.schedules.timetable import Firing, Once

FOLDER: Final = "crontabs"
_LONGEST: Final = 990  # characters of a line
_NOTES: Final = """\
# CRON_TZ is cronie's; where cron does not know it (Debian, Ubuntu), cron itself must run in that
# zone. What falls into an hour that clocks leave out is said again at the hour's end; an hour that
# comes twice may run a job twice, which does no harm. Missed while this machine is off: missed.
# CRON_TZ and PATH hold for all that follows: your own lines belong above.
"""
_FUNCTIONS: Final = """\
table=$(mktemp) next=$(mktemp)
trap 'rm -f "$table" "$next"' EXIT
if ! crontab -l >"$table" 2>"$next"; then  # a user without a table has none to keep
  grep -qi 'no crontab\\|no such file' "$next" || { cat "$next" >&2; exit 1; }
fi
cp "$table" "crontab-$(date -u +%Y%m%dT%H%M%SZ)-$$.old"
lines() {  # HOW MANY LINES OF THE TABLE ARE THIS
  grep -cx "# $1" "$table" || true
}
plan() {  # NAME COMMAND
  command -v "$2" >/dev/null || echo "warning: there is no $2 in PATH here" >&2
  [ "$(lines "$1 begins")" = "$(lines "$1 ends")" ] || {
    echo "the table's block $1 has lost its first or last line: mend that first" >&2
    exit 1
  }
  sed "/^# $1 begins\\$/,/^# $1 ends\\$/d" "$table" >"$next"
  awk '$0 == "PATH=" { $0 = $0 ENVIRON["PATH"] } 1' "$1.crontab" >>"$next"
  cp "$next" "$table"
}
"""
_BESIDE: Final = (
    "what scales it beside: cron sets the size at each change whatever that is then, and an "
    "autoscaler (of an Auto Scaling group, an instance group or a scale set, or an HPA) undoes it"
)


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
    """The dates for which a line has no room, and what scales a group beside."""
    told = single_dates(
        without(one.plan.days, _days(one)), f"a line of cron has room for {_LONGEST} characters"
    )
    return [*told, _BESIDE] if one.is_group else told


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """A block for each resource, and the script that puts them into the user's crontab."""
    if not held:
        return []
    files = {f"{one.name}.crontab": _block(one).encode() for one in held}
    calls = [f"{script.call('plan', one.name, _program(one))}  # {one.label}" for one in held]
    told = "Starts, stops and scales by the time of the week, from this user's crontab"
    body = f'{_FUNCTIONS}\n{script.lines(calls)}crontab "$table"\n'
    return script.folder(FOLDER, files, told, body)


def _block(one: Scheduled) -> str:
    lines = _lines(with_days(one.plan, _days(one)), one)
    return (
        f"# {one.name} begins\n# {one.label}, by the time of the week in {one.plan.time_zone} "
        f"(costopt).\n{_NOTES}CRON_TZ={one.plan.time_zone}\nPATH=\n"
        f"{script.lines(lines)}# {one.name} ends\n"
    )


def _program(one: Scheduled) -> str:
    words = command(one, 0)
    assert words is not None, "only what stands_for() took comes here"
    return words[0]


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
