"""No name becomes something that a service fills in or runs, whatever braces it is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from costopt.report.artefacts.alarms import alarms
from tests.report import builders
from tests.report.artefacts import guards

# braces above all; hidden characters, which are taken away and so could bring two together
NAMES = st.one_of(
    st.text("{}", max_size=90),
    st.text("{}$[]%\\ .-\u200b\x1b\n\u202ex", max_size=90),
)


def _written(provider: str, name: str) -> str:
    """The one file made for a machine of that name and type."""
    current = builders.offer(name or "m", provider_name=provider)
    row = guards.guarded(provider, guards.cpu(1), resource_name=name, current=current)
    (data,) = alarms(builders.report((row,))).values()
    return data.decode()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


@given(name=NAMES)
@example(name="{{{resolve:secretsmanager:prod/db:SecretString:password}}}")
@settings(max_examples=50)
def test_cloudformation_finds_no_dynamic_reference(name: str) -> None:
    texts = list(_texts(json.loads(_written("AWS", name))))
    assert any(text.startswith("Undo the change") for text in texts)
    assert not [text for text in texts if "{{" in text]
    assert max(map(len, texts)) <= 1024  # CloudWatch's limit on a description


@given(name=NAMES)
@settings(max_examples=50)
def test_azure_finds_no_expression(name: str) -> None:
    (resource,) = json.loads(_written("Azure", name))["resources"]
    assert resource["properties"].pop("actions").startswith("[if(empty(parameters(")
    assert not [text for text in _texts(resource) if text.startswith("[")]


@given(name=NAMES)
@example(name="$${resource.label.zone}")
@example(name="$\u200b{resource.label.zone}")
@example(name="$\\{resource.label.zone}")
@settings(max_examples=50)
def test_monitoring_finds_no_variable(name: str) -> None:
    told = json.loads(_written("GCP", name))["documentation"]["content"]
    assert "${" not in told
    assert "${" not in told.replace("\\", "")  # nor once Markdown's escapes are taken away


@given(name=NAMES)
@example(name='{{{ "x" }}}')
@settings(max_examples=50)
def test_prometheus_runs_no_template(name: str) -> None:
    (group,) = yaml.safe_load(_written("OnPrem", name))["groups"]
    for text in group["rules"][0]["annotations"].values():
        assert "{{" not in _outside_actions(text)


def _outside_actions(text: str) -> str:
    """What is left as text when Go reads a template: an action opens at the first "{{" found.

    Raises AssertionError for any action but the literal that writes two braces.
    """
    kept = []
    while (start := text.find("{{")) >= 0:
        kept.append(text[:start])
        action = re.match(r'\{\{ "\{\{" \}\}', text[start:])
        assert action, f"an action: {text[start : start + 30]}"
        text = text[start + action.end() :]
    return "\0".join([*kept, text])


@pytest.mark.parametrize("text", ['{{{ "{{" }}', "{{ .Value }}", '{{- "{{" }}'])
def test_the_reading_of_templates_can_fail(text: str) -> None:
    with pytest.raises(AssertionError, match="an action"):
        _outside_actions(text)
