"""What all renderers say alike: headings, units, and values as exact texts."""

from __future__ import annotations

import unicodedata
from datetime import date

from loans.values.money import grouped_yuan, scaled_text
from reports.definitions.sheet import Column, Heading, Kind, Sheet, Table

# 10^-decimals of a frame's whole numbers, in the unit a column is shown in.
DECIMALS: dict[Kind, int] = {
    "int": 0,
    "yuan": 2,
    "wan": 6,
    "rate": 4,
    "exchange": 8,
    "product": 2,
}
FIGURES: frozenset[Kind] = frozenset({"yuan", "wan", "rate", "exchange", "product", "int"})
_UNITS: dict[Kind, str] = {"yuan": "元", "wan": "万元"}


def title(sheet: Sheet, table: Table) -> str:
    """The title over one of a report's tables."""
    name = sheet.heading.title_zh
    return name if len(sheet.tables) == 1 else f"{name} · {table.title_zh}"


def unit(sheet: Sheet, table: Table) -> str:
    """The unit of a table's amounts, by its columns; the report's own where it has none."""
    units = dict.fromkeys(_UNITS[c.kind] for c in table.columns if c.kind in _UNITS)
    return "、".join(units) or sheet.heading.unit_zh


def heading_lines(heading: Heading) -> list[tuple[str, str]]:
    """The lines below the title, left and right; the unit is not among them."""
    who = f"填报单位：{heading.institution_name}（{heading.institution_code}）"
    lines = [(who, f"期间：{heading.period_zh}")]
    policy = f"政策：{heading.scheme_zh or heading.scheme_code or '全部'}"
    lines.append((policy, f"报送对象：{heading.addressee_zh}" if heading.addressee_zh else ""))
    if heading.cut_zh:
        lines.append((f"账簿截止：{heading.cut_zh}", ""))
    return lines


def signature_line(sheet: Sheet) -> str:
    """The places to sign, in one line."""
    return "　　".join(f"{name}：＿＿＿＿＿＿" for name in sheet.signatures)


def shown(column: Column, value: object) -> str:
    """A value as people read it: exact, amounts with separators; nothing for what is not there."""
    if value is None:
        return ""
    if isinstance(value, date):
        return f"{value:%Y-%m}" if column.kind == "month" else value.isoformat()
    if not isinstance(value, int):
        return str(value)
    if column.kind in ("yuan", "product"):
        return grouped_yuan(value)
    if column.kind == "wan":
        whole, _, decimals = scaled_text(abs(value), decimals=6, keep=6).partition(".")
        return f"{'-' if value < 0 else ''}{int(whole):,}.{decimals}"
    keep = {"rate": 4, "exchange": 4}.get(column.kind, 0)
    return scaled_text(value, decimals=DECIMALS.get(column.kind, 0), keep=keep)


def wide(text: str) -> int:
    """How many columns a text takes, Chinese characters counting two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in text)
