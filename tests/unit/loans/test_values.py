"""Money, rounding, periods, identifiers and text: exact values."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loans.values import identifiers, money, period, text
from loans.values.errors import DomainError, bilingual
from loans.values.rounding import half_up


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(1, 2, 1), (3, 2, 2), (-1, 2, -1), (-3, 2, -2), (1, 3, 0), (2, 3, 1), (0, 7, 0), (49, 100, 0)],
)
def test_half_up(numerator: int, denominator: int, rounded: int) -> None:
    assert half_up(numerator, denominator) == rounded


@given(st.integers(-(10**40), 10**40), st.integers(1, 10**20))
def test_half_up_is_symmetrical_and_within_half(numerator: int, denominator: int) -> None:
    result = half_up(numerator, denominator)
    assert result == -half_up(-numerator, denominator)
    assert abs(2 * (result * denominator - numerator)) <= denominator


@given(st.integers(-(10**12), 10**12))
def test_half_up_agrees_with_decimal(fen: int) -> None:
    expected = (Decimal(fen) / 8).quantize(Decimal(1), ROUND_HALF_UP)
    assert half_up(fen, 8) == int(expected)


def test_half_up_needs_a_positive_denominator() -> None:
    with pytest.raises(AssertionError):
        half_up(1, 0)


@pytest.mark.parametrize(
    ("yuan", "fen"),
    [
        ("0", 0),
        ("0.01", 1),
        ("1234.5", 123450),
        ("1234.50", 123450),
        ("-12.30", -1230),
        ("100000000000.00", 10**13),
        ("007", 700),
    ],
)
def test_fen_from_yuan(yuan: str, fen: int) -> None:
    assert money.fen_from_yuan(yuan) == fen


@pytest.mark.parametrize(
    ("yuan", "code"),
    [
        ("1.234", "too_many_decimals"),
        ("1.000", "too_many_decimals"),
        ("", "not_a_number"),
        ("1e3", "not_a_number"),
        ("+1", "not_a_number"),
        ("1.", "not_a_number"),
        (".5", "not_a_number"),
        ("１", "not_a_number"),
        ("١", "not_a_number"),
        ("1_000", "not_a_number"),
        ("nan", "not_a_number"),
    ],
)
def test_fen_from_yuan_refuses(yuan: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        money.fen_from_yuan(yuan)
    assert refused.value.code == code


@given(st.integers(-(10**15), 10**15))
def test_yuan_comes_back(fen: int) -> None:
    assert money.fen_from_yuan(money.yuan_from_fen(fen)) == fen


@pytest.mark.parametrize(
    ("fen", "plain", "grouped"),
    [
        (0, "0.00", "0.00"),
        (5, "0.05", "0.05"),
        (-5, "-0.05", "-0.05"),
        (123456789, "1234567.89", "1,234,567.89"),
        (-123400, "-1234.00", "-1,234.00"),
    ],
)
def test_yuan_for_people(fen: int, plain: str, grouped: str) -> None:
    assert money.yuan_from_fen(fen) == plain
    assert money.grouped_yuan(fen) == grouped


@pytest.mark.parametrize(("ppm", "percent"), [(30000, "3.00"), (38125, "3.8125"), (5, "0.0005")])
def test_percent(ppm: int, percent: str) -> None:
    assert money.percent_from_ppm(ppm) == percent
    assert money.ppm_from_percent(percent) == ppm


def test_scaled_text_keeps_what_is_asked() -> None:
    assert money.scaled_text(100_000_000, decimals=8) == "1"
    assert money.scaled_text(712_345_600, decimals=8) == "7.123456"


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 8, 26), 24, date(2028, 8, 26)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 3, 5), 0, date(2026, 3, 5)),
    ],
)
def test_add_months(day: date, months: int, later: date) -> None:
    assert period.add_months(day, months) == later


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), 1),
        (date(2026, 1, 31), date(2026, 2, 27), 0),
        (date(2026, 3, 5), date(2027, 3, 5), 12),
        (date(2026, 3, 5), date(2027, 3, 4), 11),
        (date(2026, 3, 5), date(2026, 3, 5), 0),
        (date(2026, 3, 5), date(2025, 3, 5), 0),
    ],
)
def test_whole_months_between(start: date, end: date, months: int) -> None:
    assert period.whole_months_between(start, end) == months


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 120))
def test_whole_months_undo_added_months(start: date, months: int) -> None:
    assert period.whole_months_between(start, period.add_months(start, months)) == months


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("91320300MANNX8B87", "a credit code has 18 characters, this has 17"),
        ("91320300MANNX8B87AA", "a credit code has 18 characters, this has 19"),
        ("91320300MANNX8B8OA", "character 17 of a credit code cannot be O (is it 0?)"),
        ("9132030IMANNX8B87A", "character 8 of a credit code cannot be I (is it 1?)"),
        ("91A20300MANNX8B87A", "character 3 of a credit code cannot be A"),
        ("91320300MA-NX8B87A", "character 11 of a credit code cannot be -"),
    ],
)
def test_uscc_problem_names_the_position(code: str, message: str) -> None:
    problem = identifiers.uscc_problem(code)
    assert problem is not None
    assert problem.endswith(f" / {message}")


def test_uscc_normalised_and_checked() -> None:
    assert identifiers.normal_uscc(" ９１320300mannx8b87a ") == "91320300MANNX8B87A"
    assert identifiers.uscc_problem("91320300MANNX8B87A") is None
    assert identifiers.uscc_check_passes("91320300MANNX8B87A")
    assert not identifiers.uscc_check_passes("91320300MANNX8B87B")


def test_other_codes() -> None:
    assert identifiers.is_region_code("320300")
    assert not identifiers.is_region_code("32030")
    assert not identifiers.is_region_code("３２０３００")
    assert identifiers.is_industry_code("C3421")
    assert identifiers.is_industry_code("C34")
    assert not identifiers.is_industry_code("C3")
    assert not identifiers.is_industry_code("3421")
    assert identifiers.is_currency("CNY")
    assert not identifiers.is_currency("cny")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("江苏（样例）有限公司", None),
        ("𠮷野家", None),
        ("\U0002ebf0", None),
        ("甲　乙", None),
        ("a\u200bb", (2, "U+200B")),
        ("\u202eabc", (1, "U+202E")),
        ("ab\ue000", (3, "U+E000")),
        ("a\tb", (2, "U+0009")),
        ("a\u00a0b", (2, "U+00A0")),
        ("a\u2028b", (2, "U+2028")),
        ("a\ufe0fb", (2, "U+FE0F")),
        ("\ufffd", (1, "U+FFFD")),
        ("\U0003ffff", (1, "U+3FFFF")),
    ],
)
def test_refused_character(value: str, found: tuple[int, str] | None) -> None:
    assert text.refused_character(value) == found


def test_width_folding_leaves_other_forms_alone() -> None:
    assert text.fold_width("ＪＪ１２，（Ａ）　²①") == "JJ12,(A) ²①"


@pytest.mark.parametrize(
    ("value", "plain"),
    [("'=1+1", "=1+1"), ("'-5", "-5"), ("'＝x", "＝x"), ("'abc", "'abc"), ("'", "'"), ("=1", "=1")],
)
def test_formula_guard(value: str, plain: str) -> None:
    assert text.without_formula_guard(value) == plain


def test_messages_are_bilingual() -> None:
    error = DomainError("some_code", bilingual("合同号未登记", "unknown contract number"))
    assert str(error) == "合同号未登记 / unknown contract number"
    assert error.code == "some_code"
