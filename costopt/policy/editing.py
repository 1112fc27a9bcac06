"""What helps who writes policies: a JSON Schema for editors, and a policy to start from."""

from __future__ import annotations

from typing import Any, Final

from costopt.policy.expression import Described, Kind, Record
from costopt.policy.fields import VARIABLES
from costopt.policy.pack import PackText

_TYPES: Final[dict[Kind, dict[str, Any]]] = {
    Kind.BOOL: {"type": "boolean"},
    Kind.NUMBER: {"type": "number"},
    Kind.TEXT: {"type": "string"},
    Kind.TAGS: {"type": "object", "additionalProperties": {"type": "string"}},
}
_STARTING: Final = """\
# yaml-language-server: $schema={schema}
policies:
  - id: {id}
    title: What is right, in one line
    description: >
      What is wasteful, what is better, and why; who says so.
    severity: warning
    match: resource.machine && "env" in resource.tags && resource.tags["env"] == "dev"
    require: charges.monthly <= 200.0
    message: "{{resource.name}} costs {{charges.monthly:,.2f}} {{charges.currency}} a month"
    monthly: charges.monthly
    remediation: What to do.
    cases:
      pass:
        - resource: {{machine: true, tags: {{env: dev}}}}
          charges: {{monthly: 120}}
      fail:
        - resource: {{machine: true, tags: {{env: dev}}, name: ci-1}}
          charges: {{monthly: 320, currency: USD}}
      skip:
        - resource: {{machine: true, tags: {{env: dev}}}}
        - resource: {{machine: true, tags: {{env: prod}}}}
          charges: {{monthly: 320}}
"""


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a pack, the fields of examples among it."""
    found = PackText.model_json_schema(by_alias=True)
    example = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: _record(record)
            for variables in VARIABLES.values()
            for name, record in variables.items()
        },
    }
    for kind in ("pass", "fail", "skip"):
        found["$defs"]["Cases"]["properties"][kind]["items"] = {"$ref": "#/$defs/Example"}
    found["$defs"]["Example"] = example
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:costopt:schema:policies:1",
        **found,
        "title": "costopt policies",
        "description": "A pack of policies that `costopt check` asks (docs/policies.md).",
    }


def starting(name: str, schema_path: str) -> str:
    """A pack of one policy that holds, to be changed."""
    return _STARTING.format(id=name, schema=schema_path)


def _record(record: Record) -> dict[str, Any]:
    fields = {name: _field(field) for name, field in record.fields.items()}
    return {
        "type": "object",
        "additionalProperties": False,
        "description": record.help,
        "properties": fields,
    }


def _field(field: Described | Record) -> dict[str, Any]:
    if isinstance(field, Record):
        return _record(field)
    help_ = {"description": field.help} if field.help else {}
    return {**_TYPES[field.kind], **help_}
