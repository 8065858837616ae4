"""Reading one TOML document strictly: every problem is collected, none is skipped over."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterator, Sequence
from typing import Any

from settlement.engine.terms_model import Citation


class Problems:
    """What is wrong with one file, and the sources of the values read from it so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[str] = []
        self.citations: list[Citation] = []

    def add(self, key: str, rule_zh: str, rule_en: str) -> None:
        """Record one broken rule at a key."""
        self.lines.append(f"{self.name}: {key}: {rule_zh} / {rule_en}")


class Table:
    """One table of the file; keys are taken from it, and what nobody took is unknown."""

    def __init__(self, problems: Problems, path: str, content: Any) -> None:
        self.problems = problems
        self.path = path
        self.content: dict[str, Any] = content if isinstance(content, dict) else {}
        self.taken: set[str] = set()
        if not isinstance(content, dict):
            problems.add(path or ".", "应为表", "must be a table")

    def key(self, key: str) -> str:
        """The full name of a key of this table."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether the key is present."""
        return key in self.content

    def add(self, key: str, rule_zh: str, rule_en: str) -> None:
        """Record one broken rule at a key of this table."""
        self.problems.add(self.key(key) if key else self.path, rule_zh, rule_en)

    def take(self, key: str) -> Any:
        """The raw value of a required key, or None with the problem recorded."""
        self.taken.add(key)
        if key not in self.content:
            self.add(key, "缺少", "is missing")
        return self.content.get(key)

    def done(self) -> None:
        """Record every key nobody took."""
        for key in self.content:
            if key not in self.taken:
                self.add(key, "未知的键", "unknown key")

    def table(self, key: str) -> Table:
        """A table below this one; an absent one reads as empty."""
        self.taken.add(key)
        return Table(self.problems, self.key(key), self.content.get(key, {}))

    def rows(self, key: str) -> list[Table]:
        """An array of tables; an absent one is empty, a single table is an array of one."""
        self.taken.add(key)
        content = self.content.get(key, [])
        if isinstance(content, dict):
            return [Table(self.problems, self.key(key), content)]
        if not isinstance(content, list):
            self.add(key, "应为表或表的数组", "must be a table or an array of tables")
            return []
        return [Table(self.problems, f"{self.key(key)}.{n}", x) for n, x in enumerate(content)]

    def cited(self, key: str) -> Table | None:
        """A value with its source, or None (problem recorded if the key is missing)."""
        if self.take(key) is None:
            return None
        value = self.table(key)
        value.source()
        return value

    def optional(self, key: str) -> Table | None:
        """A value with its source, or None if the file does not say it."""
        return self.cited(key) if self.has(key) else None

    def source(self) -> None:
        """Take `article` or `assumed_because`, at least one, and remember them."""
        given = {k: self._source(k) for k in ("article", "assumed_because") if self.has(k)}
        if not any(given.values()):
            self.add("", "缺少条款或假定理由", "needs an article or assumed_because")
        hidden = ("article", "assumed_because", "blocks")
        said = {k: v for k, v in self.content.items() if k not in hidden}
        alone = len(said) == 1
        value = "; ".join(_said(v) if alone else f"{k}={_said(v)}" for k, v in said.items())
        self.problems.citations.append(
            Citation(self.path, value, given.get("article", ""), given.get("assumed_because", ""))
        )

    def _source(self, key: str) -> str:
        return self.text(key)

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not blank."""
        if default is not None and not self.has(key):
            return default
        value = self.take(key)
        if isinstance(value, str) and value.strip():
            return value
        if value is not None:
            self.add(key, "应为非空文字", "must be a text that is not blank")
        return ""

    def word(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        """One of the words the engine knows."""
        value = self.text(key, default)
        if value and value not in choices:
            self.add(key, f"应为其一：{'、'.join(choices)}", f"must be one of {', '.join(choices)}")
        return value

    def words(self, key: str, choices: Sequence[str] | None = None) -> tuple[str, ...]:
        """A list of texts that is neither empty nor repeats itself."""
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not value or not all(isinstance(x, str) for x in value):
            self.add(key, "应为非空文字列表", "must be a list of texts that is not empty")
            return ()
        if len(set(value)) != len(value):
            self.add(key, "有重复项", "repeats itself")
        for word in value:
            if choices is not None and word not in choices:
                self.add(key, f"未知值 {word}", f"unknown value {word}")
        return tuple(value)

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            self.add(key, "应为 true 或 false", "must be true or false")
        return value is True

    def number(self, key: str, low: int, high: int) -> int:
        """A whole number within bounds."""
        value = self.take(key)
        if value is None:
            return low
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.add(key, f"应为 {low} 至 {high} 的整数", f"must be a whole number {low} to {high}")
            return low
        return value

    def scaled(self, key: str, places: int, high: int) -> int:
        """A decimal text or whole number from 0 to `high`, times ten to the `places`, exactly."""
        value = self.take(key)
        if value is None:
            return 0
        number = _decimal(value)
        if number is None or not 0 <= number <= high:
            self.add(
                key, f"应为 0 至 {high} 的数，写作文字", f"must be a number 0 to {high}, as text"
            )
            return 0
        scaled = number.scaleb(places)
        if scaled != scaled.to_integral_value():
            self.add(key, f"最多 {places} 位小数", f"must have at most {places} decimals")
            return 0
        return int(scaled)

    def day(self, key: str, default: datetime.date) -> datetime.date:
        """A TOML date, or the default where the key is absent."""
        if not self.has(key):
            return default
        value = self.take(key)
        if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
            self.add(key, "应为日期", "must be a date")
            return default
        return value


def _said(value: object) -> str:
    if isinstance(value, list):
        return "、".join(str(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _decimal(value: object) -> decimal.Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    if not text.replace(".", "", 1).isdecimal() or not text.isascii():
        return None
    return decimal.Decimal(text)


def floats(content: object, path: str = "") -> Iterator[str]:
    """The keys of every binary floating-point number in a document."""
    if isinstance(content, float):
        yield path
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from floats(value, f"{path}.{key}" if path else key)
    elif isinstance(content, list):
        for place, value in enumerate(content):
            yield from floats(value, f"{path}.{place}")
