"""YAML as it is written: no value is guessed to be another, and no key counts twice."""

from __future__ import annotations

from typing import Any, Final

import yaml

_KEPT: Final = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:merge"}


class _Loader(yaml.SafeLoader):
    """Numbers and days stay text: YAML 1.1 reads 06200 as 3200, and 1:30 as 90."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (as its base has it)
        first: [(tag, pattern) for tag, pattern in found if tag in _KEPT]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read(text: str) -> tuple[yaml.Node | None, Any]:
    """The file's nodes, which know their lines, and what they say; scalars are text, bool or None.

    Raises:
        yaml.YAMLError: not YAML, or a key that stands twice.
        RecursionError: nested too deeply.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, None
        _refuse_twice(node)
        return node, loader.construct_document(node)
    finally:
        loader.dispose()


def line(node: yaml.Node | None, where: tuple[int | str, ...]) -> int:
    """The line at which a field stands, or the innermost part of it that the file has."""
    found = 1
    for step in where:
        if isinstance(node, yaml.MappingNode):
            pairs = [(k, v) for k, v in node.value if k.value == str(step)]
            if not pairs:
                break
            key, node = pairs[-1]
            found = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            found = node.start_mark.line + 1
    return found


def _refuse_twice(root: yaml.Node) -> None:
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue  # an alias
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            keys: dict[Any, int] = {}
            for key, value in node.value:
                waiting.append(value)
                if not isinstance(key, yaml.ScalarNode):
                    continue
                if key.value in keys:
                    what = f"{key.value!r} stands twice, first in line {keys[key.value]}"
                    raise yaml.MarkedYAMLError(problem=what, problem_mark=key.start_mark)
                keys[key.value] = key.start_mark.line + 1
