"""Hand-made frames for definitions of reports: rows of defaults with what a test says changed."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from reports.definitions.cut import Cut, Money
from reports.definitions.filing import SchemeTitle
from reports.definitions.period import Period, parse
from reports.definitions.sheet import Heading, Sheet

SME, MF = "central-sme-2026", "jiangsu-manufacturing-2026"
TITLES = (
    SchemeTitle(SME, "中小微企业贷款贴息", "财金〔2026〕4号", "headquarters", ("central",)),
    SchemeTitle(
        MF,
        "江苏省制造业贷款财政贴息",
        "苏财工贸〔2026〕7号",
        "provincial",
        ("provincial", "municipal"),
    ),
)
NOTE: dict[str, Any] = {
    "scheme_code": SME,
    "note_id": 1,
    "institution_code": "B1",
    "holder_code": "B1",
    "institution_name": "甲支行",
    "uscc": "U1",
    "enterprise_name": "甲公司",
    "size": "small",
    "ownership": "private",
    "industry_code": "C3512",
    "region_code": "320102",
    "city_code": "320100",
    "city_zh": "江苏省南京市",
    "purpose_field": "工业母机",
    "project_code": "",
    "project_name": "",
    "contract_number": "H1",
    "note_number": "J1",
    "drawn_on": date(2026, 3, 2),
    "matures_on": date(2029, 3, 2),
    "currency": "CNY",
    "exchange_rate_e8": 10**8,
    "rate_ppm": 30_000,
    "principal_fen": 100_000,
}
TIERS = {"central_fen": 0, "provincial_fen": 0, "municipal_fen": 0}
SUBSIDY: dict[str, Any] = {
    "scheme_code": SME,
    "uscc": "U1",
    "purpose_field": "工业母机",
    "city_code": "320100",
    "city_zh": "江苏省南京市",
    **TIERS,
    **{f"ytd_{tier}": 0 for tier in TIERS},
}


def period(text: str) -> Period:
    """A period that is one."""
    found = parse(text)
    assert found is not None
    return found


def frame(defaults: dict[str, Any], *rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of these defaults, changed; types are the defaults' also where there is no row."""
    kinds = {
        name: pl.Date if isinstance(value, date) else pl.DataType.from_python(type(value))
        for name, value in defaults.items()
    }
    return pl.DataFrame([{**defaults, **row} for row in rows], schema=kinds)


def cut(code: str, sums: dict[tuple[str, str], int] | None = None, **money: Any) -> Cut:
    """The frame of a report whose deductions, funds and ledger all say the same, but for `money`."""
    sums = sums or {}
    return Cut(
        heading=Heading(code, code, "B1", "甲支行", "2026-03", "2026年3月", "元"),
        schemes=TITLES,
        article="财金〔2026〕4号 二(三)",
        footnotes=("脚注",),
        money=Money(**{"held": sums, "funded": sums, "ledger": sums, **money}),
    )


def rows(sheet: Sheet, key: str, *columns: str) -> list[tuple[Any, ...]]:
    """What these columns of a table say, row by row."""
    (table,) = (one for one in sheet.tables if one.key == key)
    assert [column.key for column in table.columns] == pl.concat(table.parts()).columns
    return pl.concat(table.parts()).select(columns).rows()
