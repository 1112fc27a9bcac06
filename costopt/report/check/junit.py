"""A check as JUnit's XML, as test collectors read it (the XSD of Jenkins' xUnit plugin)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

from costopt.model.check import About, Check, Verdict
from costopt.report.check import wording
from costopt.report.safe import terminal
from costopt.units import counted

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(check: Check) -> bytes:
    """A suite a policy: a case a finding, and one for all resources that keep it."""
    suites = ET.Element("testsuites", {"name": "costopt check"})
    for one in check.policies:
        mine = [verdict for verdict in check.verdicts if verdict.policy == one.id]
        unknown = sum(len(it.subjects) for it in check.unjudged if it.policy == one.id)
        _suite(suites, one, mine, check.passed.get(one.id, 0), unknown)
    ET.indent(suites)
    text: str = ET.tostring(suites, "unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _suite(
    suites: ET.Element, of: About, found: Sequence[Verdict], passed: int, unknown: int
) -> None:
    suite = ET.SubElement(suites, "testsuite", {"name": of.id})
    case = _case(suite, of, f"{counted(passed, 'resource')}: {of.title}")
    if not passed and unknown:
        of_it = counted(unknown, "resource")
        ET.SubElement(case, "skipped", {"message": f"too little is known of {of_it}"})
    for one in found:
        case = _case(suite, of, f"{one.name} ({one.subject})" if one.subject else one.name)
        said = {"message": _text(wording.sentence(one)), "type": one.severity}
        result = ET.SubElement(case, "failure" if one.open else "skipped", said)
        if one.open:
            result.text = _text(f"{one.finding_id}: {one.remediation}")
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("errors", "0")
    suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))


def _case(suite: ET.Element, of: About, name: str) -> ET.Element:
    names = {"name": _text(name), "classname": f"{of.pack}.{of.id}"}
    return ET.SubElement(suite, "testcase", names)


def _text(text: str) -> str:
    """One line of characters that XML has."""
    return _NOT_XML.sub("", terminal(text))
