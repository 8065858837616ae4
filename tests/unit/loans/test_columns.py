"""Cells, rows and files as the contract wants them: exact values and exact words."""

from datetime import date
from pathlib import Path

import openpyxl
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
    COLLECTION,
    ENTERPRISE,
    NOTE,
    csv_file,
    csv_text,
    lines,
    parse_rows,
    workbook,
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
        ("notes", "note_number", "00ＪＪ1", "00JJ1"),
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


def test_all_problems_of_a_file_one_a_cell(tmp_path: Path) -> None:
    bad = NOTE | {"note_number": "", "drawn_on": "2026-02-30", "principal": "1.001"}
    rows = [bad, NOTE | {"note_number": "JJ002", "scheme_codes": "?"}]
    assert lines(parse_rows(tmp_path, "notes", rows)) == [
        "row 2, column note_number (借据号): 必填 / required",
        "row 2, column drawn_on (放款日期): 日历上没有这一天 / there is no such day, 2026-02-30",
        "row 2, column principal (放款金额): 最多 2 位小数 / at most 2 decimals, 1.001",
        "row 3, column scheme_codes (贴息政策): 不是政策代码，应如 central-sme-2026"
        " / not a scheme code, ?",
    ]


def test_ten_thousand_errors_are_all_listed(tmp_path: Path) -> None:
    rows = [
        COLLECTION | {"reference": f"S-{n}", "interest_due": f"{n}.123", "collected_on": "soon"}
        for n in range(10_000)
    ]
    parsed = parse_rows(tmp_path, "interest-collections", rows)
    assert len(parsed.problems) == 20_000
    assert str(parsed.problems[-1]) == (
        "row 10001, column collected_on (收息日): 不是日期，应如 2026-03-21"
        " / not a date; write it like 2026-03-21, soon"
    )


def test_one_bad_row_in_many(tmp_path: Path) -> None:
    rows = [COLLECTION | {"reference": f"S-{n}"} for n in range(5_000)]
    rows[4_321]["interest_paid"] = "80000.01"
    assert lines(parse_rows(tmp_path, "interest-collections", rows)) == [
        "row 4323, column interest_paid (实收利息): 实收利息大于应收利息"
        " / the interest paid is above the interest due, 80000.01"
    ]


FAILING = ENTERPRISE | {"uscc": "91320300MANNX8B87B"}


def test_failing_check_digit_waits_for_confirmation(tmp_path: Path) -> None:
    parsed = parse_rows(tmp_path, "enterprises", [FAILING])
    assert lines(parsed) == [
        "row 2, column uscc (统一社会信用代码): 校验位不符；核对后如确实无误，用 --confirm-uscc"
        "（后台：复核确认） / the check digit does not match; if the code is right, use"
        " --confirm-uscc (in the admin: confirm it), 91320300MANNX8B87B"
    ]
    assert parsed.failing_usccs == ("91320300MANNX8B87B",)


def test_confirmed_check_digit(tmp_path: Path) -> None:
    parsed = parse_rows(tmp_path, "enterprises", [FAILING], confirm_uscc=True)
    assert (lines(parsed), parsed.failing_usccs) == ([], ("91320300MANNX8B87B",))
    assert parsed.frame["uscc"].to_list() == ["91320300MANNX8B87B"]
    table = read_table(csv_file(tmp_path, csv_text([FAILING])))
    named = parse(KINDS["enterprises"], table, confirmed_usccs=["91320300MANNX8B87B"])
    assert lines(named) == []
    other = parse(KINDS["enterprises"], table, confirmed_usccs=["91320300MANNX8B87C"])
    assert len(other.problems) == 1


def test_confirmation_does_not_cover_a_wrong_shape(tmp_path: Path) -> None:
    rows = [ENTERPRISE | {"uscc": "91320300MANNX8B87"}]
    assert len(parse_rows(tmp_path, "enterprises", rows, confirm_uscc=True).problems) == 1


HEADERS = list(NOTE)


def note_cells(**changes: object) -> list[object]:
    typed: dict[str, object] = NOTE | {"principal": 60_000_000, "annual_rate": 3}
    return [(typed | changes)[key] for key in HEADERS]


def parse_workbook(folder: Path, *rows: list[object]) -> columns.Parsed:
    return parse(KINDS["notes"], read_table(workbook(folder, [HEADERS, *rows])))


def test_workbook_cells_typed(tmp_path: Path) -> None:
    parsed = parse_workbook(
        tmp_path,
        note_cells(
            note_number=123,
            drawn_on=date(2026, 3, 5),
            matures_on=20290305,
            principal=1234.1 + 0.2,
            equipment_amount=0.1 + 0.2,
            exchange_rate=7.1,
            scheme_codes=None,
        ),
    )
    assert lines(parsed) == []
    assert parsed.frame.row(0)[1:] == (
        "123",
        "HT-001",
        date(2026, 3, 5),
        date(2029, 3, 5),
        123_430,
        30,
        30_000,
        710_000_000,
        [],
        2,
    )


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        (
            "note_number",
            123456789012345678,
            "column note_number (借据号): Excel 只保留 15 位数字，请以文本格式重新录入"
            " / digits lost by Excel; store it as text and enter it again, 1.234567890123457e+17",
        ),
        (
            "note_number",
            1.5,
            "column note_number (借据号): 编号不能是小数 / an identifier cannot have decimals, 1.5",
        ),
        (
            "note_number",
            date(2026, 1, 2),
            "column note_number (借据号): 单元格是日期，请改为文本或数字"
            " / the cell is a date; make it text or a number, 2026-01-02",
        ),
        (
            "drawn_on",
            46053,
            "column drawn_on (放款日期): 数字不是日期，请把单元格设为日期格式"
            " / a bare number is not a date; format the cell as a date, 46053",
        ),
        (
            "principal",
            1234.567,
            "column principal (放款金额): 最多 2 位小数 / at most 2 decimals, 1234.567",
        ),
        (
            "principal",
            "=1+1",
            "column principal (放款金额): 公式没有计算结果，请粘贴为数值"
            " / a formula without a value; paste values",
        ),
        (
            "principal",
            True,
            "column principal (放款金额): 单元格是逻辑值 / the cell is a boolean, TRUE",
        ),
        (
            "principal",
            "#N/A",
            "column principal (放款金额): 单元格是错误值 / the cell is an error value, #N/A",
        ),
    ],
)
def test_refused_workbook_cells(tmp_path: Path, key: str, value: object, problem: str) -> None:
    changes = {"equipment_amount": None, key: value}
    assert lines(parse_workbook(tmp_path, note_cells(**changes))) == [f"row 2, {problem}"]


def test_numbers_shown_as_percent(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["published_on", "one_year", "five_year"]])
    book = openpyxl.load_workbook(path)
    sheet = book.active
    sheet.append([date(2026, 1, 20), 0.0435, 3.5])
    sheet["B2"].number_format = "0.00%"
    book.save(path)
    parsed = parse(KINDS["lpr"], read_table(path))
    assert parsed.frame.rows() == [(date(2026, 1, 20), 43_500, 35_000, 2)]


def test_boolean_cell_in_a_yes_no_column(tmp_path: Path) -> None:
    headers = [*ENTERPRISE, "dishonest"]
    path = workbook(tmp_path, [headers, [*ENTERPRISE.values(), True]])
    parsed = parse(KINDS["enterprises"], read_table(path))
    assert parsed.frame["dishonest"].to_list() == [True]


def test_month_from_a_date_cell(tmp_path: Path) -> None:
    row = {
        "scheme_code": "central-sme-2026",
        "institution_code": "C0001320100000",
        "note_number": "JJ001",
        "month": date(2026, 3, 1),
        "result": "approved",
        "document_number": "D1",
    }
    path = workbook(tmp_path, [list(row), list(row.values())])
    parsed = parse(KINDS["review-results"], read_table(path))
    assert parsed.frame["month"].to_list() == [date(2026, 3, 1)]


def test_a_table_without_rows(tmp_path: Path) -> None:
    table = read_table(csv_file(tmp_path, ",".join(NOTE) + "\n"), allow_empty=True)
    parsed = parse(KINDS["notes"], table)
    assert (lines(parsed), parsed.frame.height) == ([], 0)
    assert parsed.frame.schema["scheme_codes"] == pl.List(pl.String)
