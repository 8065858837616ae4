"""A small report with every kind of column, built by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from reports.definitions.sheet import Column, Heading, Sheet, Table, whole

HEADING = Heading(
    code="new-loans",
    title_zh="新发放贷款月报",
    institution_code="C0001110000000",
    institution_name="甲银行",
    period_code="2026-03",
    period_zh="2026年3月",
    unit_zh="元",
    addressee_zh="财政部",
    scheme_code="central-sme-2026",
    scheme_zh="中小微企业贷款贴息（财金〔2026〕4号）",
    cut_zh="第1234号分录",
)
# Product × 1.5 % ÷ 360, rounded half up to the fen; whole fen-days keep halves exact.
SUBSIDY = "INT(ROUND({product}*100,0)*15/360000+0.5)/100"
DETAIL = (
    Column("number", "序号", "int"),
    Column("note", "借据号", "text"),
    Column("name", "借款人", "text", "财金〔2026〕4号 一(一)"),
    Column("drawn_on", "放款日", "date"),
    Column("month", "月份", "month"),
    Column("principal", "放款金额", "yuan", "财金〔2026〕4号 一(三)", total=True),
    Column("product", "积数(元·日)", "product", total=True),
    Column("rate", "利率(%)", "rate"),
    Column("exchange", "折算率", "exchange"),
    Column("subsidy", "应贴息", "yuan", total=True, formula=SUBSIDY, formula_if="plain"),
)
BY_FIELD = (
    Column("field", "投向领域", "text"),
    Column("notes", "笔数", "int", total=True),
    Column("principal", "放款金额", "wan", total=True),
)


def half_up(product: int) -> int:
    """The subsidy of a product in fen-days."""
    return (2 * product * 15 + 360_000) // (2 * 360_000)


def detail(rows: int) -> pl.DataFrame:
    """Rows of a detail, some with products that give a half fen, the last without a live formula."""
    numbers = range(1, rows + 1)
    products = [n * 12_000 + (n % 3) for n in numbers]
    return pl.DataFrame(
        {
            "number": numbers,
            "note": [f"JJ{n:05d}" for n in numbers],
            "name": ["=甲公司" if n == 1 else f"乙{n},公司" for n in numbers],
            "drawn_on": [date(2026, 3, 1 + n % 28) for n in numbers],
            "month": [date(2026, 3, 1)] * rows,
            "principal": [n * 1_234_567_89 for n in numbers],
            "product": products,
            "rate": [31_000] * rows,
            "exchange": [7_12345678 if n == 2 else 1_00000000 for n in numbers],
            "subsidy": [
                half_up(p) if n < rows else 77 for n, p in zip(numbers, products, strict=True)
            ],
            "plain": [n < rows for n in numbers],
        }
    )


def by_field() -> pl.DataFrame:
    """Two fields; the second in a loss."""
    return pl.DataFrame(
        {"field": ["农业", "工业母机"], "notes": [1, 2], "principal": [123_456_789_01, -5]}
    )


def report(rows: int = 3, *, parts: int = 2) -> Sheet:
    """A report with a detail in parts, a summary and an empty list."""
    frame = detail(rows)

    def in_parts() -> Iterator[pl.DataFrame]:
        return frame.iter_slices(-(-rows // parts))

    return Sheet(
        HEADING,
        (
            Table("detail", "明细", DETAIL, in_parts),
            Table("by_field", "分领域", BY_FIELD, whole(by_field())),
            Table("ended", "退出", BY_FIELD, whole(by_field().clear())),
        ),
        footnotes=("日基数360天，为假定。", "上限150万元。"),
    )
