"""What differs between two texts of a scheme's terms: value by value, each with its article."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

GROUNDS = ("article", "assumed_because")
NAMED_BY = (
    "per",
    "span",
    "together_with",
    "tier",
    "loan_types",
    "from",
    "until",
)  # of a list's members


@dataclass(frozen=True)
class Change:
    """One value before and after, with the article (or the assumption) of each; "" where there is none."""

    key: str
    before: str
    after: str
    before_ground: str
    after_ground: str

    @property
    def kind(self) -> str:
        """`added`, `removed`, `value` or, where only the article moved, `ground`."""
        if not self.before:
            return "added"
        if not self.after:
            return "removed"
        return "ground" if self.before == self.after else "value"


def changes(before: str, after: str) -> list[Change]:
    """Every value that differs, in the order of the new text; what is gone comes last.

    Both are TOML texts that `terms.parse` accepts; "" stands for none.
    """
    old, new = dict(_values(before)), dict(_values(after))
    keys = [*new, *(key for key in old if key not in new)]
    nothing = ("", "")
    return [
        Change(key, was[0], now[0], was[1], now[1])
        for key in keys
        if (was := old.get(key, nothing)) != (now := new.get(key, nothing))
    ]


def _values(text: str) -> Iterator[tuple[str, tuple[str, str]]]:
    yield from _leaves("", tomllib.loads(text))


def _leaves(path: str, node: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    if isinstance(node, Mapping) and any(ground in node for ground in GROUNDS):
        yield path, (_said(node), _ground(node))
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves(f"{path}.{key}" if path else key, value)
    elif isinstance(node, list) and node and all(isinstance(one, Mapping) for one in node):
        yield from _members(path, node)
    else:
        yield path, (_text(node), "")


def _members(path: str, members: list[Mapping[str, Any]]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Members of a list by what they are about, so that moving one is no change; the same twice is numbered."""
    seen: dict[str, int] = {}
    for one in members:
        name = " ".join(_text(one[key]) for key in NAMED_BY if key in one)
        seen[name] = seen.get(name, 0) + 1
        number = f" #{seen[name]}" if seen[name] > 1 else ""
        yield f"{path}[{name}{number}]", (_said(one), _ground(one))


def _said(node: Mapping[str, Any]) -> str:
    values = {key: value for key, value in node.items() if key not in GROUNDS}
    if values.keys() == {"value"} or values.keys() == {"values"}:
        return _text(*values.values())
    return ", ".join(f"{key} = {_text(value)}" for key, value in values.items())


def _ground(node: Mapping[str, Any]) -> str:
    return str(node.get("article") or node.get("assumed_because") or "")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_text(one)}" for key, one in value.items()) + "}"
    return str(value)
