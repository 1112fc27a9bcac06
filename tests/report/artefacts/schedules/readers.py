"""Each target's files, read back: the level at each of plans.moments."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import hcl2
import yaml
from tzlocal.windows_tz import win_tz

from tests.report.artefacts.schedules import plans
from tests.report.artefacts.schedules.clockwork import Event, Lift, cron, dated, lifted, run, stamp

Levels = list[Any]
_WEEK = 7 * 1440


def documents(files: Mapping[str, bytes]) -> list[Any]:
    """The JSON files' contents."""
    return [json.loads(data) for path, data in files.items() if path.endswith(".json")]


def resources(files: Mapping[str, bytes], kind: str) -> list[dict[str, Any]]:
    """The properties of CloudFormation templates' resources of that type."""
    found = [one for made in documents(files) for one in made["Resources"].values()]
    return [one["Properties"] for one in found if one["Type"] == kind]


def deploying(files: Mapping[str, bytes]) -> str:
    """The script beside the files."""
    (text,) = (data.decode() for path, data in files.items() if path.endswith(".sh"))
    return text


def calls(files: Mapping[str, bytes], function: str) -> list[list[str]]:
    """What the script gives to that function of its own, call by call."""
    lines = [shlex.split(line, comments=True) for line in _outside(deploying(files))]
    return [words[1:] for words in lines if words and words[0] == function]


def _outside(text: str) -> Iterator[str]:
    """The lines that are in no function."""
    within = False
    for line in text.splitlines():
        within = within or "() {" in line
        if not within:
            yield line
        if line == "}":
            within = False


def actions(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """The scheduled actions that the script puts."""
    found = {path.rpartition("/")[2]: json.loads(d) for path, d in files.items() if "json" in path}
    every = []
    for name, group, _, *parts in calls(files, "plan"):
        for part in parts:
            made = found[f"{name}-{part}.json"]
            assert made["AutoScalingGroupName"] == group
            every += made["ScheduledUpdateGroupActions"]
    return every


def aws_autoscaling(files: Mapping[str, bytes], zone: str) -> Levels:
    """The least sizes: what the group has beside is target tracking's."""
    return actions_levels(actions(files), zone)


def actions_levels(found: list[dict[str, Any]], zone: str) -> Levels:
    """The least size at each of the moments."""
    events = []
    for one in found:
        assert one.get("DesiredCapacity") == (None if one["MinSize"] else 0)
        assert "MaxSize" not in one
        events.append(_action(one["MinSize"], one.get, zone))
    return run(events, zone)


def _action(level: int, get: Any, zone: str) -> Event:
    start, end = stamp(get("StartTime")), stamp(get("EndTime"))
    if not get("Recurrence"):
        assert start
        return Event(level, once=_wall(start, zone))
    assert get("TimeZone") == zone
    event = Event(level, cron(get("Recurrence")), start=start, end=end)
    if start:  # the start time is a time at which it runs: no other than the cron's
        local = _wall(start, zone)
        key = (local.weekday(), local.hour * 60 + local.minute)
        assert key in event.weekly or _after_gap(start, zone)
    return event


def _wall(at: datetime, zone: str) -> datetime:
    from zoneinfo import ZoneInfo

    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def _after_gap(at: datetime, zone: str) -> bool:
    return _wall(at, zone) - _wall(at - timedelta(minutes=1), zone) > timedelta(minutes=1)


def eventbridge(files: Mapping[str, bytes], zone: str) -> Levels:
    events = []
    for one in resources(files, "AWS::Scheduler::Schedule"):
        assert one["ScheduleExpressionTimezone"] == zone
        assert json.loads(one["Target"]["Input"]) == {"InstanceIds": ["i-0123456789abcdef0"]}
        call = one["Target"]["Arn"]["Fn::Sub"].rpartition(":")[2]
        events.append(
            _timer(call, one["ScheduleExpression"], one.get("StartDate"), one.get("EndDate"))
        )
    return run(events, zone)


def _timer(call: str, expression: str, start: str | None, end: str | None) -> Event:
    level = {"startInstances": 1, "stopInstances": 0}[call]
    kind, _, inner = expression.removesuffix(")").partition("(")
    if kind == "at":
        return Event(level, once=datetime.fromisoformat(inner))
    assert kind == "cron"
    return Event(level, cron(inner), start=stamp(start), end=stamp(end))


def instance_scheduler(files: Mapping[str, bytes], zone: str) -> Levels:
    """As the solution decides (configuration/instance_schedule.py): running outweighs stopped, and
    what runs a minute before and a minute after is left running."""
    (schedule,) = resources(files, "Custom::ServiceInstanceSchedule")
    assert schedule["Timezone"] == zone
    assert [words[::2] for words in calls(files, "deploy")] == [
        [schedule["Name"], "i-0123456789abcdef0"]
    ]
    assert '--resources "$3" --tags "Key=Schedule,Value=$1"' in deploying(files)
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    spans = []
    for period in schedule["Periods"]:
        days: set[int] = set()
        for part in period["WeekDays"].split(","):
            low, _, high = part.partition("-")
            days |= set(range(names.index(low), names.index(high or low) + 1))
        begin = _minute(period.get("BeginTime", "00:00"))
        end = _minute(period["EndTime"]) if "EndTime" in period else 1440
        assert begin <= end
        spans += [(day * 1440 + begin, day * 1440 + end) for day in days]
    on = [any(first <= minute < last for first, last in spans) for minute in range(_WEEK)]
    joined = [on[m] or (on[m - 1] and on[(m + 1) % _WEEK]) for m in range(_WEEK)]
    return [int(joined[_of_week(local)]) for _, local in plans.moments(zone)]


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def _of_week(local: datetime) -> int:
    return local.weekday() * 1440 + local.hour * 60 + local.minute


def azure_autoscale(files: Mapping[str, bytes], zone: str) -> Levels:
    (data,) = files.values()
    (setting,) = json.loads(data)["resources"]
    return profiles(setting["properties"]["profiles"], zone)


def profiles(found: list[dict[str, Any]], zone: str) -> Levels:
    """As autoscale decides: a fixed date first, then the profile that started last, else the
    regular one."""
    assert len(found) <= 20
    fixed, starts, regular = [], {}, None
    for one in found:
        (level,) = {int(one["capacity"][key]) for key in ("minimum", "default")}
        assert int(one["capacity"]["maximum"]) >= level
        if "fixedDate" in one:
            window = one["fixedDate"]
            assert window["timeZone"] == "UTC"
            fixed.append((stamp(window["start"]), stamp(window["end"]), level))
        elif "recurrence" in one:
            when = one["recurrence"]["schedule"]
            assert win_tz[when["timeZone"]] in {zone, *_SAME.get(zone, ())}
            for name in when["days"]:
                day = _DAYS.index(name)
                (hour,), (minute,) = when["hours"], when["minutes"]
                starts[day * 1440 + hour * 60 + minute] = level
        else:
            regular = level
    return [
        next(
            (level for start, end, level in fixed if start <= at < end),
            starts[min(starts, key=lambda s: (_of_week(local) - s) % _WEEK)] if starts else regular,
        )
        for at, local in plans.moments(zone)
    ]


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SAME = {"UTC": ("Etc/UTC", "Etc/GMT"), "Asia/Kolkata": ("Asia/Calcutta",)}


def gcp_instance_schedule(files: Mapping[str, bytes], zone: str) -> Levels:
    ((name, _, _, starts, stops, own),) = calls(files, "policy")
    assert own == zone
    assert [words[-1] for words in calls(files, "follow")] == [name]
    return run([Event(1, cron(starts)), Event(0, cron(stops))], zone)


def gcp_mig(files: Mapping[str, bytes], zone: str) -> Levels:
    (made,) = documents(files)
    policy = made["autoscalingPolicy"]
    lifts = []
    for one in policy["scalingSchedules"].values():
        assert one["timeZone"] == zone
        assert one["durationSec"] >= 300
        lifts.append(_lift(one["schedule"], one["durationSec"], one["minRequiredReplicas"]))
    return lifted(policy["minNumReplicas"], lifts, zone)


def _lift(schedule: str, seconds: int, level: int) -> Lift:
    lasts = timedelta(seconds=seconds)
    if len(schedule.split()) == 6:
        return Lift(level, lasts, once=dated(schedule))
    return Lift(level, lasts, cron(schedule))


def keda(files: Mapping[str, bytes], zone: str) -> Levels:
    """As KEDA decides: a trigger holds while its end comes before its next start."""
    (document,) = yaml.safe_load_all(next(iter(files.values())))
    spec = document["spec"]
    held = [spec["minReplicaCount"]] * _WEEK
    for trigger in spec["triggers"]:
        meta = trigger["metadata"]
        assert (trigger["type"], meta["timezone"]) == ("cron", zone)
        assert int(meta["desiredReplicas"]) > 0
        starts, ends = (
            {day * 1440 + minute for day, minute in cron(meta[key])} for key in ("start", "end")
        )
        for minute in range(0, _WEEK, 30):
            to_start = min((start - minute - 1) % _WEEK for start in starts)
            to_end = min((end - minute - 1) % _WEEK for end in ends)
            if to_end < to_start:
                held[minute] = max(held[minute], int(meta["desiredReplicas"]))
    assert max(held) <= spec["maxReplicaCount"]
    return [held[_of_week(local)] for _, local in plans.moments(zone)]


def kubernetes_cronjob(files: Mapping[str, bytes], zone: str) -> Levels:
    (data,) = (data for path, data in files.items() if path.endswith(".yaml"))
    return run(_jobs(list(yaml.safe_load_all(data)), zone), zone)


def _jobs(documents: list[dict[str, Any]], zone: str) -> Iterator[Event]:
    for one in documents:
        if one["kind"] == "CronJob":
            assert one["spec"]["timeZone"] == zone
            pod = one["spec"]["jobTemplate"]["spec"]["template"]["spec"]
            verb, space, replicas, what = pod["containers"][0]["args"]
            assert (verb, space, what) == ("scale", "--namespace=shop", "deployment/checkout")
            yield Event(int(replicas.removeprefix("--replicas=")), cron(one["spec"]["schedule"]))


def crontab(files: Mapping[str, bytes], zone: str) -> Levels:
    (data,) = (data for path, data in files.items() if path.endswith(".crontab"))
    lines = [line for line in data.decode().splitlines() if line and not line.startswith("#")]
    assert (lines.pop(0), lines.pop(0)) == (f"CRON_TZ={zone}", "PATH=")
    return run([_line(line, zone) for line in lines], zone)


def _line(line: str, zone: str) -> Event:
    assert len(line) < 998
    *fields, command = line.split(" ", 5)
    assert "%" not in command.replace("\\%", "")
    command = command.replace("\\%", "%")
    opening = f"case $(TZ={zone} date +%Y-%m-%d) in "
    if not command.startswith(opening):
        return Event(_level(command), cron(" ".join(fields)))
    pattern, _, rest = command.removeprefix(opening).removesuffix("; esac").partition(") ")
    if rest.startswith(";; *) "):
        inner = rest.removeprefix(";; *) ").removesuffix(";")
        blocked = frozenset(pattern.split("|"))
        return Event(_level(inner), cron(" ".join(fields)), not_on=blocked)
    once = dated(f"{' '.join(fields)} {pattern[:4]}")
    assert once.date().isoformat() == pattern
    return Event(_level(rest.removesuffix(";")), once=once)


def _level(command: str) -> int:
    match shlex.split(command):
        case ["aws", "ec2", "start-instances", *_] | ["az", "vm", "start", *_]:
            return 1
        case ["aws", "ec2", "stop-instances", *_] | ["az", "vm", "deallocate", *_]:
            return 0
        case ["gcloud", "compute", "instances", ("start" | "stop") as verb, *_]:
            return int(verb == "start")
        case ["aws", "autoscaling", _, *rest]:
            assert rest[-4::2] == ["--min-size", "--desired-capacity"]
            assert rest[-3] == rest[-1]
            return int(rest[-1])
        case ["az", "vmss", "scale", *_, "--new-capacity", count]:
            return int(count)
        case ["gcloud", "compute", "instance-groups", "managed", "resize", _, "--size", size, *_]:
            return int(size)
        case ["kubectl", "scale", _, size, _]:
            return int(size.removeprefix("--replicas="))
    raise AssertionError(command)


# -- Terraform -------------------------------------------------------------------------------


def terraform(files: Mapping[str, bytes], zone: str) -> Levels:
    (data,) = (data for path, data in files.items() if not path.endswith("/costopt.tf"))
    found = blocks(data.decode())
    kinds = {kind for kind, _ in found}
    for kind, read in _TERRAFORM.items():
        if kind in kinds:
            return read([body for name, body in found if name == kind], zone)
    raise AssertionError(kinds)


def blocks(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The resources: type and body, as python-hcl2 reads them."""
    found = []
    for resource in plain(hcl2.loads(text))["resource"]:
        ((kind, named),) = resource.items()
        ((_, body),) = named.items()
        found.append((kind, body))
    return found


def plain(value: Any) -> Any:
    """The parser's values as Python's: it leaves the quotes on strings, and marks blocks."""
    if isinstance(value, dict):
        return {plain(key): plain(one) for key, one in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, str) and value.startswith('"'):
        return json.loads(value.replace("$${", "${").replace("%%{", "%{"))
    return value


def _tf_actions(found: list[dict[str, Any]], zone: str) -> Levels:
    names = {
        "StartTime": "start_time",
        "EndTime": "end_time",
        "Recurrence": "recurrence",
        "TimeZone": "time_zone",
    }
    events = []
    for one in found:
        assert one["desired_capacity"] == (-1 if one["min_size"] else 0)
        assert one["max_size"] == -1
        events.append(_action(one["min_size"], lambda key, one=one: one.get(names[key]), zone))
    return run(events, zone)


def _tf_timers(found: list[dict[str, Any]], zone: str) -> Levels:
    events = []
    for one in found:
        assert one["schedule_expression_timezone"] == zone
        (target,) = one["target"]
        assert "i-0123456789abcdef0" in target["input"]
        call = target["arn"].rpartition(":")[2]
        events.append(
            _timer(call, one["schedule_expression"], one.get("start_date"), one.get("end_date"))
        )
    return run(events, zone)


def _tf_profiles(found: list[dict[str, Any]], zone: str) -> Levels:
    (setting,) = found
    as_api = []
    for one in setting["profile"]:
        profile: dict[str, Any] = {"capacity": one["capacity"][0]}
        for when in one.get("recurrence", ()):
            profile["recurrence"] = {"schedule": when | {"timeZone": when["timezone"]}}
        for when in one.get("fixed_date", ()):
            profile["fixedDate"] = when | {"timeZone": when["timezone"]}
        as_api.append(profile)
    return profiles(as_api, zone)


def _tf_policy(found: list[dict[str, Any]], zone: str) -> Levels:
    (policy,) = found[0]["instance_schedule_policy"]
    assert policy["time_zone"] == zone
    (starts,), (stops,) = policy["vm_start_schedule"], policy["vm_stop_schedule"]
    return run([Event(1, cron(starts["schedule"])), Event(0, cron(stops["schedule"]))], zone)


def _tf_autoscaler(found: list[dict[str, Any]], zone: str) -> Levels:
    (policy,) = found[0]["autoscaling_policy"]
    lifts = []
    for one in policy.get("scaling_schedules", ()):
        assert one["time_zone"] == zone
        lifts.append(_lift(one["schedule"], one["duration_sec"], one["min_required_replicas"]))
    return lifted(policy["min_replicas"], lifts, zone)


def _tf_manifests(found: list[dict[str, Any]], zone: str) -> Levels:
    return run(_jobs([one["manifest"] for one in found], zone), zone)


_TERRAFORM = {
    "aws_autoscaling_schedule": _tf_actions,
    "aws_scheduler_schedule": _tf_timers,
    "azurerm_monitor_autoscale_setting": _tf_profiles,
    "google_compute_resource_policy": _tf_policy,
    "google_compute_region_autoscaler": _tf_autoscaler,
    "kubernetes_manifest": _tf_manifests,
}
