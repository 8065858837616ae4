"""Rows of one file with the same natural key."""

from pathlib import Path

import pytest

from tests.unit.loans.builders import COLLECTION, NOTE, lines, parse_rows

SECOND = NOTE | {"note_number": "JJ002"}
PLAN = COLLECTION | {"interest_paid": ""}
PAID = COLLECTION | {"interest_paid": "79999.99", "collected_on": "2026-03-25"}


def rows_kept(folder: Path, kind: str, rows: list[dict[str, str]]) -> list[int]:
    parsed = parse_rows(folder, kind, rows)
    assert lines(parsed) == []
    return parsed.frame["row"].to_list()


def clash(row: int, other: int) -> str:
    return (
        f"row {row}, column reference (流水号): 与第 {other} 行同键但内容不同"
        f" / same key as row {other} but other content, S-1"
    )


def test_same_content_is_left_alone(tmp_path: Path) -> None:
    again = NOTE | {"principal": "60,000,000".replace(",", ""), "annual_rate": "3"}
    assert rows_kept(tmp_path, "notes", [NOTE, SECOND, again, NOTE]) == [2, 3]


def test_other_content_names_both_rows(tmp_path: Path) -> None:
    other = NOTE | {"scheme_codes": "central-sme-2026;jiangsu-sports-2026"}
    assert lines(parse_rows(tmp_path, "notes", [NOTE, SECOND, NOTE, other])) == [
        "row 2, column note_number (借据号): 与第 5 行同键但内容不同"
        " / same key as row 5 but other content, JJ001",
        "row 5, column note_number (借据号): 与第 2 行同键但内容不同"
        " / same key as row 2 but other content, JJ001",
    ]


def test_the_order_of_labels_is_content(tmp_path: Path) -> None:
    rows = [NOTE | {"scheme_codes": codes} for codes in ("a;b", "b;a")]
    assert len(parse_rows(tmp_path, "notes", rows).problems) == 2


def test_blank_keys_count_as_a_value(tmp_path: Path) -> None:
    row = {
        "institution_code": NOTE["institution_code"],
        "note_number": "JJ001",
        "invoice_number": "F1",
        "issued_on": "2026-01-01",
        "amount": "1",
        "serial_number": "",
    }
    rows = [row, row, row | {"serial_number": "2"}]
    assert rows_kept(tmp_path, "equipment-invoices", rows) == [2, 4]


def test_a_later_fund_replaces_the_earlier_one(tmp_path: Path) -> None:
    row = {"scheme_code": "s", "year": "2026", "amount": "1"}
    rows = [row, row | {"amount": "2"}, row | {"year": "2027"}, row]
    assert rows_kept(tmp_path, "scheme-funds", rows) == [4, 5]


def test_plan_and_completion_both_stay(tmp_path: Path) -> None:
    other = COLLECTION | {"reference": "S-2"}
    assert rows_kept(tmp_path, "interest-collections", [PLAN, other, PAID, PAID]) == [2, 3, 4]


def test_plan_comes_first_whatever_the_order(tmp_path: Path) -> None:
    first = COLLECTION | {"reference": "S-0"}
    last = COLLECTION | {"reference": "S-2"}
    rows = [first, PAID, last, PLAN]
    assert rows_kept(tmp_path, "interest-collections", rows) == [2, 5, 3, 4]


@pytest.mark.parametrize(
    ("rows", "clashes"),
    [
        ([PLAN, PAID | {"interest_due": "80000.01"}], [(2, 3), (3, 2)]),
        ([PLAN, PAID | {"period_end": "2026-03-22"}], [(2, 3), (3, 2)]),
        ([PLAN, PAID, COLLECTION], [(2, 3), (3, 2), (4, 2)]),
        ([PAID, COLLECTION], [(2, 3), (3, 2)]),
        ([PLAN, PLAN | {"collected_on": "2026-03-22"}], [(2, 3), (3, 2)]),
    ],
)
def test_what_is_no_completion(
    tmp_path: Path, rows: list[dict[str, str]], clashes: list[tuple[int, int]]
) -> None:
    problems = lines(parse_rows(tmp_path, "interest-collections", rows))
    assert problems == [clash(*pair) for pair in clashes]


def test_rows_with_a_bad_key_are_not_compared(tmp_path: Path) -> None:
    bad = NOTE | {"note_number": "a\u200b"}
    problems = lines(parse_rows(tmp_path, "notes", [bad, bad | {"principal": "1000"}]))
    assert len(problems) == 2
    assert all("U+200B" in line for line in problems)


def test_a_file_given_twice_over_collapses(tmp_path: Path) -> None:
    rows = [COLLECTION | {"reference": f"S-{n}"} for n in range(1_000)]
    assert rows_kept(tmp_path, "interest-collections", rows + rows) == list(range(2, 1_002))
