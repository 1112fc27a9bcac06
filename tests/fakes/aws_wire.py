"""Answers of AWS on the wire where moto lies: real pages, fields that moto leaves out."""

from __future__ import annotations

from collections.abc import Sequence

from tests.fakes.aws_front import Answer, Call, Rule, refused

_MOST = 1000
"""Of a page; a real EC2 refuses more, and fewer than 5."""


def ec2(action: str, inside: str) -> Answer:
    """An answer of EC2's query protocol."""
    name = f"{action}Response"
    space = "http://ec2.amazonaws.com/doc/2016-11-15/"
    text = f'<{name} xmlns="{space}"><requestId>r</requestId>{inside}</{name}>'
    return Answer(200, text.encode())


def instance(instance_id: str, inside: str = "", instance_type: str = "m5.large") -> str:
    """One instance, in a reservation of its own, as DescribeInstances has it."""
    return (
        f"<item><instancesSet><item><instanceId>{instance_id}</instanceId>"
        f"<instanceType>{instance_type}</instanceType>"
        "<instanceState><code>16</code><name>running</name></instanceState>"
        f"{inside}</item></instancesSet></item>"
    )


def paged_instances(ids: Sequence[str]) -> Rule:
    """DescribeInstances of plain machines by pages, which have to be asked for and are bounded."""

    def rule(call: Call) -> Answer | None:
        if call.action != "DescribeInstances":
            return None
        size = int(call.fields.get("MaxResults", 0))
        if not 5 <= size <= _MOST:
            return refused(call, "InvalidParameterValue", f"MaxResults {size}", 400)
        start = int(call.fields.get("NextToken", 0))
        items = "".join(instance(one) for one in ids[start : start + size])
        more = f"<nextToken>{start + size}</nextToken>" if start + size < len(ids) else ""
        return ec2(call.action, f"<reservationSet>{items}</reservationSet>{more}")

    return rule


def instances(*items: str) -> Rule:
    """DescribeInstances of the items, in one page."""

    def rule(call: Call) -> Answer | None:
        if call.action != "DescribeInstances":
            return None
        return ec2(call.action, f"<reservationSet>{''.join(items)}</reservationSet>")

    return rule


def regions(*names: str) -> Rule:
    """DescribeRegions of those only."""

    def rule(call: Call) -> Answer | None:
        if call.action != "DescribeRegions":
            return None
        items = "".join(f"<item><regionName>{name}</regionName></item>" for name in names)
        return ec2(call.action, f"<regionInfo>{items}</regionInfo>")

    return rule
