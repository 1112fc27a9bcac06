"""Recording rules for large installations, made of the very queries that are asked without them."""

from __future__ import annotations

from typing import Any, Final

import yaml

from costopt.providers.prometheus.measures import MEASURES
from costopt.providers.prometheus.slots import DEFAULT_PERIOD

EVERY_SECONDS: Final = 60
"""How often they are evaluated. Prometheus does so at moments of its own choice, so a recorded
value stands up to that much early on our grid."""

_HEAD: Final = """\
# Recording rules for costopt: with them a collect reads a few series a machine instead of several
# for every CPU, disk and interface. Add the file to `rule_files` of Prometheus (Mimir, Thanos and
# VictoriaMetrics read the same format); costopt uses the series from the hour on in which they
# cover every machine, and asks for what came before as ever.
"""


def rules() -> str:
    """The rules as YAML, for the default period."""
    found: list[dict[str, Any]] = [
        {"record": name, "expr": measure.query(DEFAULT_PERIOD)}
        for measure in MEASURES
        if (name := measure.recorded(DEFAULT_PERIOD))
    ]
    group = {"name": "costopt", "interval": f"{EVERY_SECONDS}s", "rules": found}
    return _HEAD + yaml.safe_dump({"groups": [group]}, sort_keys=False, width=1000)


def reading(name: str, also: str) -> str:
    """The query of a recorded series at the end of a period."""
    return f"last_over_time({name}{{{also}}}[{2 * EVERY_SECONDS}s])"
