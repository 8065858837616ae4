"""The text an enterprise is sent for one posted deduction, from a template of its policy (SME-14, EQ-11)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from string import Formatter

from loans.values.money import grouped_yuan
from settlement.engine.codes import TIERS
from settlement.engine.errors import TermsError

CHARACTERS_MAX = 500
"""A text message of the longest kind that gateways take."""

TIER_WORDS = {"central": "中央财政", "provincial": "省级财政", "municipal": "市级财政"}
_AMOUNT = len("-100,000,000,000.00")
_PERIOD = len("2026-03-21至2026-06-21")
# The most characters that a field takes; names longer than theirs are cut.
NAMES = {"bank": 30, "enterprise": 60, "policy": 40, "document": 30, "hotline": 30}
_SHARED = {**NAMES, "note": 4, "period": _PERIOD, "tiers": 3 * (_AMOUNT + 6)}
_WAYS = ("way_netted", "way_paid_out")
_CONSEQUENCES = ("taken_back", "added")
_ORIGINAL = {**_SHARED, "interest": _AMOUNT, "paid": _AMOUNT, "total": _AMOUNT, "way": 0}
_CORRECTION = {
    **_SHARED, "before": _AMOUNT, "after": _AMOUNT, "difference": _AMOUNT, "consequence": 0,
}  # fmt: skip
_KNOWN = {
    "original": _ORIGINAL,
    "correction": _CORRECTION,
    **{key: {"net": _AMOUNT} for key in _WAYS},
    **{key: {} for key in _CONSEQUENCES},
}
_MUST_SAY = {
    "original": ("enterprise", "policy", "total", "way"),
    "correction": ("enterprise", "policy", "before", "after", "difference"),
}


@dataclass(frozen=True)
class Template:
    """What is said under one policy; `scheme` is its code, empty for those without a text of their own."""

    scheme: str
    original: str
    correction: str
    way_netted: str
    way_paid_out: str
    taken_back: str
    added: str


@dataclass(frozen=True)
class Told:
    """What one notice says. Amounts in whole fen, by tier; `period` half-open.

    `interest_fen` is the period's interest due, `paid_fen` what is collected of it now, `net_fen` what is left
    of that once all that is netted from it is off. A correction tells `before` and what is granted after it; `change` otherwise.
    """

    bank: str
    enterprise: str
    note_number: str
    policy: str
    document: str
    period: tuple[date, date]
    interest_fen: int
    paid_fen: int
    net_fen: int
    change: tuple[int, int, int]
    before: tuple[int, int, int] | None = None
    is_paid_out: bool = False


def parse_template(text: str, *, name: str) -> Template:
    """What does this file of texts say?

    Raises TermsError with every problem: a key that is missing or unknown, a field that is not known there
    or must be there, or a text that could become longer than CHARACTERS_MAX.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = f"{name}: 不是有效的 TOML / is not valid TOML: {error}"
        raise TermsError([line]) from error
    wanted = [field.name for field in fields(Template)]
    problems = [
        f"{name}: {key}: {'缺少 / is missing' if key in wanted else '未知的键 / is not a known key'}"
        for key in sorted(set(wanted) ^ set(content))
    ]
    problems += [
        f"{name}: {key}: 须为文字 / must be text"
        for key in wanted
        if key in content and not isinstance(content[key], str)
    ]
    if not problems:
        problems = [f"{name}: {line}" for key in _KNOWN for line in _wrong(key, content)]
    if problems:
        raise TermsError(problems)
    return Template(**content)


def _wrong(key: str, content: Mapping[str, str]) -> Sequence[str]:
    try:
        named = _fields(content[key])
    except ValueError as error:
        return [f"{key}: 花括号不成对 / braces do not match: {error}"]
    found = [
        f"{key}: 未知的字段 / unknown field {{{field}}}"
        for field in named
        if field not in _KNOWN[key]
    ]
    found += [
        f"{key}: 必须写明 / must say {{{field}}}"
        for field in _MUST_SAY.get(key, ())
        if field not in named
    ]
    if not found and key in _MUST_SAY and (length := _longest(key, content)) > CHARACTERS_MAX:
        found.append(
            f"{key}: 最长可达 {length} 字，超过 {CHARACTERS_MAX} 字 / may grow to {length} characters"
        )
    return found


def _fields(text: str) -> list[str]:
    """Names in braces; what a format could do with them beyond their text is unknown too."""
    return [
        "".join(filter(None, (name, conversion and f"!{conversion}", spec and f":{spec}")))
        for _, name, spec, conversion in Formatter().parse(text)
        if name is not None
    ]


def _longest(key: str, content: Mapping[str, str]) -> int:
    parts = _WAYS if key == "original" else _CONSEQUENCES
    try:
        most = max(_size(content[part], {"net": _AMOUNT}) for part in parts)
    except (KeyError, ValueError):
        return 0  # what is wrong with them is told of themselves
    return _size(content[key], {**_KNOWN[key], "way": most, "consequence": most})


def _size(text: str, sizes: Mapping[str, int]) -> int:
    return sum(
        len(literal) + (0 if name is None else sizes[name])
        for literal, name, _, _ in Formatter().parse(text)
    )


def render(template: Template, told: Told, *, hotline: str) -> str:
    """The text, of at most CHARACTERS_MAX characters."""
    shared = {
        **{name: _cut(getattr(told, name), NAMES[name]) for name in NAMES if name != "hotline"},
        "hotline": hotline[: NAMES["hotline"]],
        "note": told.note_number[-4:],
        "period": f"{told.period[0]}至{told.period[1]}",
    }
    if told.before is None:
        way = template.way_paid_out if told.is_paid_out else template.way_netted
        return template.original.format(
            **shared,
            interest=grouped_yuan(told.interest_fen),
            paid=grouped_yuan(told.paid_fen),
            total=grouped_yuan(sum(told.change)),
            tiers=_by_tier(told.change),
            way=way.format(net=grouped_yuan(told.net_fen)),
        )
    after = tuple(was + change for was, change in zip(told.before, told.change, strict=True))
    difference = sum(told.change)
    what_follows = template.taken_back if difference < 0 else template.added
    return template.correction.format(
        **shared,
        before=grouped_yuan(sum(told.before)),
        after=grouped_yuan(sum(after)),
        difference=f"{'+' if difference > 0 else ''}{grouped_yuan(difference)}",
        tiers=_by_tier(after),
        consequence=what_follows if difference else "",
    )


def _by_tier(amounts: Sequence[int]) -> str:
    """`中央财政10.00元、省级财政5.00元`, of the tiers that pay."""
    paid = [(tier, fen) for tier, fen in zip(TIERS, amounts, strict=True) if fen]
    shown = [f"{TIER_WORDS[tier]}{grouped_yuan(fen)}元" for tier, fen in paid]
    return "、".join(shown) or "贴息为零"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
