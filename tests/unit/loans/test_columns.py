"""Cells, rows and files as the contract wants them: exact values and exact words."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loans.files import columns
from loans.files.cells import RefusedCellError, parse_cell
from loans.files.columns import parse
from loans.files.kind_columns import amount
from loans.files.kinds import KINDS, Column
from loans.files.reader import read_table
from tests.unit.loans.builders import (
    ENTERPRISE,
    NOTE,
    csv_file,
    lines,
    parse_rows,
)


def test_note_row_typed(tmp_path: Path) -> None:
    parsed = parse_rows(tmp_path, "notes", [NOTE])
    assert lines(parsed) == []
    assert parsed.frame.rows(named=True) == [
        {
            "institution_code": "C0001320100000",
            "note_number": "JJ001",
            "contract_number": "HT-001",
            "drawn_on": date(2026, 3, 5),
            "matures_on": date(2029, 3, 5),
            "principal": 6_000_000_000,
            "equipment_amount": 100_000,
            "annual_rate": 30_000,
            "exchange_rate": 100_000_000,
            "scheme_codes": ["central-sme-2026"],
            "row": 2,
        }
    ]
    assert parsed.frame.schema["principal"] == pl.Int64


def test_blank_optional_cells_take_their_defaults(tmp_path: Path) -> None:
    blank = {"equipment_amount": "", "exchange_rate": " ", "scheme_codes": ""}
    frame = parse_rows(tmp_path, "notes", [NOTE | blank]).frame
    assert frame["equipment_amount"][0] == 0
    assert frame["exchange_rate"][0] == 100_000_000
    assert frame["scheme_codes"].to_list() == [[]]


def test_missing_optional_columns_take_their_defaults(tmp_path: Path) -> None:
    frame = parse_rows(tmp_path, "enterprises", [ENTERPRISE]).frame
    row = frame.row(0, named=True)
    assert row["environment_rating"] == ""
    assert row["dishonest"] is False
    assert row["valid_from"] == date(1, 1, 1)
    contract = {
        "institution_code": "C0001320100000",
        "contract_number": "1",
        "uscc": ENTERPRISE["uscc"],
        "signed_on": "2026-01-01",
        "loan_type": "固定资产贷款",
        "amount": "1",
        "purpose_field": "工业",
    }
    row = parse_rows(tmp_path, "contracts", [contract]).frame.row(0, named=True)
    assert (row["currency"], row["project_code"], row["loan_type"]) == ("CNY", "", "fixed_asset")


def test_chinese_headers_in_any_order_and_form(tmp_path: Path) -> None:
    text = "5年期ＬＰＲ（％）, 公布日 ,1年期LPR(%)\n3.50,2026年1月20日,3.00\n"
    parsed = parse(KINDS["lpr"], read_table(csv_file(tmp_path, text)))
    assert lines(parsed) == []
    assert parsed.frame.rows() == [(date(2026, 1, 20), 30_000, 35_000, 2)]


def test_header_problems_beside_cell_problems(tmp_path: Path) -> None:
    text = "公布日,published_on,5年期,one_year\n2026-01-20,2026-01-20,3.5,x\n"
    assert lines(parse(KINDS["lpr"], read_table(csv_file(tmp_path, text)))) == [
        "row 1, column 5年期: 未知的列 / unknown column",
        "row 1, column published_on (公布日): 列重复出现（公布日、published_on）"
        " / this column appears twice (公布日, published_on)",
        "row 1, column five_year (5年期LPR(%)): 缺少必填的列 / this required column is missing",
        "row 2, column one_year (1年期LPR(%)): 不是数字 / not a number, x",
    ]


AMOUNT_PLACE = "row 2, column principal (放款金额)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.234", "最多 2 位小数 / at most 2 decimals"),
        ("abc", "不是数字 / not a number"),
        ("-5", "金额必须大于零 / the amount must be above zero"),
        ("0.00", "金额必须大于零 / the amount must be above zero"),
        ("100000000000.01", "金额超过 100,000,000,000 元 / above 100,000,000,000 yuan"),
        ("9" * 25, "金额超过 100,000,000,000 元 / above 100,000,000,000 yuan"),
        ("1e5", "不接受科学计数法 / scientific notation is not accepted"),
        ("NaN", "不是有限的数字 / not a finite number"),
        ("-Infinity", "不是有限的数字 / not a finite number"),
        ("¥12", "只填数字，不带货币符号、单位或百分号 / number only, no currency, unit or %"),
        ("12.5元", "只填数字，不带货币符号、单位或百分号 / number only, no currency, unit or %"),
        ("12.3万", "只填数字，不带货币符号、单位或百分号 / number only, no currency, unit or %"),
        ("(100.00)", "负数请用减号，不用括号 / use a minus sign for negative numbers"),
        ("١٢٣", "只接受 0-9 的数字 / only the digits 0-9 are accepted"),
        ("一百", "只接受 0-9 的数字 / only the digits 0-9 are accepted"),
        ("12²", "不是数字 / not a number"),
        ("+1", "不是数字 / not a number"),
        ("1_000", "不是数字 / not a number"),
        ("0x10", "不是数字 / not a number"),
    ],
)
def test_refused_amounts(tmp_path: Path, text: str, message: str) -> None:
    note = NOTE | {"principal": text, "equipment_amount": ""}
    assert lines(parse_rows(tmp_path, "notes", [note])) == [f"{AMOUNT_PLACE}: {message}, {text}"]


@pytest.mark.parametrize("text", ["1,23,4.50", "1.234,50", "1234,567", ",123", "1,234,"])
def test_separators_in_wrong_places(text: str) -> None:
    with pytest.raises(RefusedCellError, match="thousands separators in the wrong place"):
        parse_cell(KINDS["notes"].column("principal"), text)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1234.5", 123_450),
        ("1,234.50", 123_450),
        ("12,345,678", 1_234_567_800),
        ("１２３４．５０", 123_450),
        ("１，２３４．５", 123_450),
        ("0100", 10_000),
        ("100000000000.00", 10**13),
    ],
)
def test_accepted_amounts(text: str, fen: int) -> None:
    assert parse_cell(KINDS["notes"].column("principal"), text) == fen


@pytest.mark.parametrize(
    ("sign", "refused", "accepted"),
    [
        ("positive", ["0", "-0.01"], [("0.01", 1)]),
        ("non_negative", ["-0.01"], [("0", 0), ("-0.00", 0)]),
        ("signed", [], [("-0.01", -1), ("0", 0)]),
        ("signed_non_zero", ["0", "-0"], [("-0.01", -1), ("0.01", 1)]),
    ],
)
def test_signs(sign: str, refused: list[str], accepted: list[tuple[str, int]]) -> None:
    column = amount("amount", "金额", sign=sign)
    values, problems = parse_column(column, refused + [text for text, _ in accepted])
    assert problems == len(refused)
    assert values == [None] * len(refused) + [fen for _, fen in accepted]


def parse_column(column: Column, texts: list[str]) -> tuple[list[object], int]:
    """Parse texts through the columnar path: the values and how many were refused."""
    table = columns.Table(
        frame=pl.DataFrame({"x": texts, "row": range(2, len(texts) + 2)}), format="csv"
    )
    cells = columns._Cells(column, table, "x")
    return cells.values().to_list(), len(cells.problems())


def expected_value(column: Column, text: str) -> object:
    try:
        return parse_cell(column, text.strip())
    except RefusedCellError:
        return None


@given(
    st.lists(
        st.text("0123456789.,-+eE１ ¥", min_size=1, max_size=14)
        | st.decimals(-200_000_000_000, 200_000_000_000, places=2).map(str),
        min_size=1,
    ),
    st.sampled_from(["positive", "non_negative", "signed", "signed_non_zero"]),
)
@example(["100000000000.00", "100000000000.01", "-100000000000.01", "999999999999.99"], "signed")
def test_column_expressions_agree_with_the_cell_rule_for_amounts(
    texts: list[str], sign: str
) -> None:
    column = amount("amount", "金额", required=False, sign=sign)
    values, _ = parse_column(column, texts)
    assert values == [expected_value(column, text) if text.strip() else None for text in texts]


@given(st.lists(st.text(max_size=70) | st.text("'=+-@aＡ（甲 \u200b\t", max_size=4), min_size=1))
@example(["'=1", "=1", "'a", "", " ", "a" * 64, "a" * 65, "甲" * 200, "甲" * 201, "a" * 201])
def test_column_expressions_agree_with_the_cell_rule_for_text(texts: list[str]) -> None:
    stripped = pl.Series(texts).str.strip_chars().to_list()
    for kind in ("text", "name"):
        column = Column("x", "文", kind, required=False, default="")
        values, refused = parse_column(column, texts)
        expected = [parse_or_none(column, text) if text else "" for text in stripped]
        assert values == expected
        assert refused == sum(value is None for value in expected)


def parse_or_none(column: Column, text: str) -> object:
    try:
        return parse_cell(column, text)
    except RefusedCellError:
        return None


@pytest.mark.parametrize(
    ("kind", "key", "text", "value"),
    [
        ("notes", "drawn_on", "2026-03-21", date(2026, 3, 21)),
        ("notes", "drawn_on", "2026/3/1", date(2026, 3, 1)),
        ("notes", "drawn_on", "20260321", date(2026, 3, 21)),
        ("notes", "drawn_on", "2026年3月21日", date(2026, 3, 21)),
        ("notes", "drawn_on", "2026.1.31", date(2026, 1, 31)),
        ("notes", "drawn_on", "２０２６－０３－２１", date(2026, 3, 21)),
        ("notes", "drawn_on", "2026-03-21 00:00:00", date(2026, 3, 21)),
        ("notes", "drawn_on", "2026-03-21T00:00", date(2026, 3, 21)),
        ("review-results", "month", "2026-03", date(2026, 3, 1)),
        ("review-results", "month", "2026年3月", date(2026, 3, 1)),
        ("review-results", "month", "202612", date(2026, 12, 1)),
        ("scheme-funds", "year", "2026", 2026),
        ("notes", "annual_rate", "36", 360_000),
        ("notes", "annual_rate", "0", 0),
        ("notes", "annual_rate", "3.8125", 38_125),
        ("notes", "exchange_rate", "7.12345678", 712_345_678),
        ("syndicate-shares", "share", "33.3333", 333_333),
        ("enterprises", "uscc", "91320300mannx8b87a", "91320300MANNX8B87A"),
        ("enterprises", "size", "小型", "small"),
        ("enterprises", "size", "SMALL", "small"),
        ("enterprises", "dishonest", "是", True),
        ("enterprises", "dishonest", "no", False),
        ("enterprises", "industry_code", "c3421", "C3421"),
        ("enterprise-titles", "title", '专精特新"小巨人"企业', "little_giant"),
        ("pre-allocations", "tier", "省", "provincial"),
        ("contracts", "currency", "usd", "USD"),
        ("notes", "note_number", "00ＪＪ1", "00ＪＪ1"),
        ("contracts", "contract_number", "苏银（2026）第1号", "苏银（2026）第1号"),
        ("enterprises", "name", "'=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("enterprises", "name", "=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("enterprises", "name", "+1+1", "+1+1"),
        ("enterprises", "name", "𠮷野家", "𠮷野家"),
        ("notes", "scheme_codes", "a-1 ； b_2", ["a-1", "b_2"]),
    ],
)
def test_accepted_cells(kind: str, key: str, text: str, value: object) -> None:
    assert parse_cell(KINDS[kind].column(key), text) == value


@pytest.mark.parametrize(
    ("kind", "key", "text", "words"),
    [
        ("notes", "drawn_on", "2026-02-30", "there is no such day"),
        ("notes", "drawn_on", "31/01/2026", "not a date; write it like 2026-03-21"),
        ("notes", "drawn_on", "26-1-31", "not a date; write it like 2026-03-21"),
        ("notes", "drawn_on", "46053", "not a date; write it like 2026-03-21"),
        ("notes", "drawn_on", "2026-3/21", "not a date; write it like 2026-03-21"),
        ("notes", "drawn_on", "0026-03-21", "the year must be between 1990 and 2100"),
        ("notes", "drawn_on", "9999-12-31", "the year must be between 1990 and 2100"),
        ("notes", "drawn_on", "2026-03-21 23:59", "a date has no time of day"),
        ("notes", "drawn_on", "2026-03-21T00:00:00Z", "a date has no time of day"),
        ("notes", "drawn_on", "٢٠٢٦-03-21", "not a date; write it like 2026-03-21"),
        ("review-results", "month", "2026-13", "there is no such day"),
        ("review-results", "month", "2026-03-21", "not a month; write it like 2026-03"),
        ("scheme-funds", "year", "26", "not a year; write it like 2026"),
        ("scheme-funds", "year", "1989", "the year must be between 1990 and 2100"),
        ("notes", "annual_rate", "36.0001", "a rate in percent lies between 0 and 36"),
        ("notes", "annual_rate", "-1", "a rate in percent lies between 0 and 36"),
        ("notes", "annual_rate", "3.12345", "at most 4 decimals"),
        ("notes", "annual_rate", "4.35%", "number only, no currency, unit or %"),
        ("notes", "exchange_rate", "0", "a rate is above 0 and at most 1000000"),
        ("notes", "exchange_rate", "1.123456789", "at most 8 decimals"),
        ("syndicate-shares", "share", "100.01", "a share in percent lies between 0 and 100"),
        ("enterprises", "size", "tiny", "unknown code, one of micro small medium large"),
        ("enterprises", "dishonest", "maybe", "unknown code, one of yes no"),
        ("enterprises", "region_code", "3203", "a region code has 6 digits"),
        ("enterprises", "industry_code", "3421", "a section letter and 2 to 4 digits"),
        ("enterprises", "uscc", "91320300MANNX8B8OA", "character 17 of a credit code cannot be O"),
        ("enterprises", "name", "甲" * 201, "at most 200 characters, has 201"),
        ("enterprises", "name", "a\u202eb", "character 2 is not allowed (U+202E"),
        ("notes", "note_number", "J" * 65, "at most 64 characters, has 65"),
        ("notes", "note_number", "JJ\u200b1", "character 3 is not allowed (U+200B"),
        ("notes", "note_number", "JJ\t1", "character 3 is not allowed (U+0009"),
        ("notes", "institution_code", "C001", "an institution code has 14 characters, not 4"),
        ("notes", "scheme_codes", "a;b;a", "a scheme code appears twice"),
        ("notes", "scheme_codes", "a;;b", "not a scheme code"),
        ("notes", "scheme_codes", "政策", "not a scheme code"),
        ("contracts", "currency", "RMB1", "a currency has 3 letters, such as CNY"),
    ],
)
def test_refused_cells(kind: str, key: str, text: str, words: str) -> None:
    with pytest.raises(RefusedCellError) as refused:
        parse_cell(KINDS[kind].column(key), text)
    assert words in str(refused.value)
    assert " / " in str(refused.value)
