"""Register rows worked out again: exact, and with a formula only where a spreadsheet gives the same."""

from __future__ import annotations

import math
import random
from datetime import date
from typing import Any

import polars as pl
import pytest

from reports.definitions import register_amounts as amounts
from reports.definitions.register_amounts import with_earned, with_rates

YEAR = {"accrued_from": date(1, 1, 1), "accrued_until": date(9999, 12, 31)}
CELL = {
    "version_id": 1, "version": 1, "name_zh": "政策", "document": "文号", "method": "points",
    "basis_days": 360, "above_lpr_ppm": 0, "drawn_from": date(1, 1, 1),
    "drawn_until": date(9999, 12, 31), **YEAR, "rate_central_e8": 1_500_000,
    "rate_provincial_e8": 0, "rate_municipal_e8": 0,
}  # fmt: skip
ROW = {
    "place": 0, "version_id": 1, "drawn_on": date(2026, 1, 5), "tiers_off": "", "note_rate_ppm": 30_000,
    "lpr_ppm": 30_000, "period_start": date(2026, 3, 1), "period_end": date(2026, 3, 11),
    "subsidised_from": date(2026, 1, 5), "subsidised_until": date(2028, 1, 5),
    "product": 3_600_000_000, "interest_due_fen": 300_000, "paid_before_fen": 0,
    "paid_to_date_fen": 300_000, "due_before_fen": 300_000, "raw_central_fen": 150_000,
    "raw_provincial_fen": 0, "raw_municipal_fen": 0,
}  # fmt: skip


def worked(row: dict[str, Any] | None = None, *cells: dict[str, Any]) -> dict[str, Any]:
    """One row worked out under a version's cells."""
    lines = [CELL | cell for cell in cells or ({},)]
    kinds = {"lpr_ppm": pl.Int64, "subsidised_from": pl.Date, "subsidised_until": pl.Date}
    frame = pl.DataFrame([ROW | (row or {})], schema_overrides=kinds)
    return with_earned(with_rates(frame, pl.DataFrame(lines))).row(0, named=True)


def test_a_whole_payment_earns_the_whole_period() -> None:
    row = worked()
    assert (row["has_formula"], row["remark"], row["rate_central"], row["basis_days"]) == (
        True,
        "",
        15_000,
        360,
    )
    assert [row[f"{p}_central_fen"] for p in ("whole", "before", "to_date")] == [
        150_000,
        0,
        150_000,
    ]


def test_a_tier_that_is_off_has_no_rate() -> None:
    row = worked({"tiers_off": "central", "raw_central_fen": 0})
    assert (row["rate_central"], row["whole_central_fen"], row["has_formula"]) == (0, 0, True)


def test_nothing_due_earns_nothing_but_the_whole_period_stays() -> None:
    row = worked(
        {"interest_due_fen": 0, "due_before_fen": 0, "paid_to_date_fen": 0, "raw_central_fen": 0}
    )
    assert (row["whole_central_fen"], row["to_date_central_fen"], row["has_formula"]) == (
        150_000,
        0,
        True,
    )


@pytest.mark.parametrize(
    ("row", "cells", "remark"),
    [
        ({}, [{"method": "percent_of_interest", "basis_days": 0}], amounts.PERCENT),
        ({}, [{"rate_central_e8": 1_500_001}], amounts.FINE_RATE),
        ({"raw_central_fen": 149_999}, [{}], amounts.FACTS_CHANGED),
        ({"due_before_fen": 299_999}, [{}], amounts.FACTS_CHANGED),
        ({"subsidised_until": date(2026, 3, 1)}, [{}], amounts.FACTS_CHANGED),
        (
            {},
            [
                {"accrued_until": date(2026, 3, 6)},
                {"accrued_from": date(2026, 3, 6), "rate_central_e8": 1_000_000},
            ],
            amounts.CHANGED_RATE,
        ),
    ],
)  # fmt: skip
def test_rows_their_own_cells_do_not_explain_say_why(
    row: dict[str, Any], cells: list[dict[str, Any]], remark: str
) -> None:
    found = worked(row, *cells)
    assert (found["remark"], found["has_formula"], found["whole_central_fen"]) == (
        remark,
        False,
        None,
    )
    assert found["raw_central_fen"] == (row | ROW | row)["raw_central_fen"]


def test_a_rate_that_changes_outside_the_period_is_one_rate() -> None:
    cells = (
        {"accrued_until": date(2026, 3, 11)},
        {"accrued_from": date(2026, 3, 11), "rate_central_e8": 1_000_000},
    )
    assert worked(None, *cells)["has_formula"] is True
    assert (
        worked(
            {"subsidised_until": date(2026, 3, 6)}, {"accrued_until": date(2026, 3, 6)}, cells[1]
        )["has_formula"]
        is True
    )


def test_interest_up_to_lpr_and_a_margin_counts_the_lesser_rate() -> None:
    cell = {"method": "interest_to_lpr_plus", "above_lpr_ppm": 5_000, "rate_central_e8": 50}
    assert (
        worked({"note_rate_ppm": 40_000, "raw_central_fen": 175_000}, cell)["rate_central"]
        == 17_500
    )
    assert (
        worked({"note_rate_ppm": 31_000, "raw_central_fen": 155_000}, cell)["rate_central"]
        == 15_500
    )


def test_amounts_beyond_a_doubles_digits_have_no_formula_but_are_told() -> None:
    product = 24_000 * (amounts.SAFE_FEN + 1)
    row = worked({"product": product, "raw_central_fen": amounts.SAFE_FEN + 1})
    assert (row["remark"], row["has_formula"]) == (amounts.TOO_FINE, False)
    assert row["to_date_central_fen"] == amounts.SAFE_FEN + 1


def test_a_fraction_just_below_one_half_has_no_formula() -> None:
    """2,999,999,983 of 6,000,000,000 fen paid: 0.4999999972 of a fen."""
    due, paid = 6_000_000_000, 2_999_999_983
    payment = {"interest_due_fen": due, "due_before_fen": due, "paid_to_date_fen": paid}
    row = worked({**payment, "product": 24_000, "raw_central_fen": 0})
    assert (row["remark"], row["to_date_central_fen"]) == (amounts.TOO_FINE, 0)


def binary(product: int, ppm: int, basis: int, paid: int, due: int) -> int:
    """The formula as a spreadsheet's doubles work it out, from the cells' decimal texts."""
    whole = round(float(f"{product // 100}.{product % 100:02}") * 100) * round(
        ppm / 10_000 * 10_000
    )
    return math.floor(whole / (basis * 1_000_000) * (paid / 100) / (due / 100) + 0.500001)


def test_whatever_has_a_formula_is_what_doubles_give() -> None:
    """Random rows, a third of them exactly on half a fen."""
    chance = random.Random(4)
    rows, wanted = [], []
    for place in range(4000):
        ppm, basis = chance.choice([(15_000, 360), (10_000, 360), (12_000, 365), (34_567, 365)])
        due = chance.choice([300_000, 7, 123_456_789, chance.randrange(1, 10**9)])
        paid = chance.choice([due, due // 2, chance.randrange(0, due + 1)])
        product = (
            chance.randrange(1, 10**13) // 12_000 * 12_000
            if place % 3 == 0
            else chance.randrange(1, 10**13)
        )
        exact = (2 * product * ppm * paid + basis * 10**6 * due) // (2 * basis * 10**6 * due)
        rows.append(
            ROW | {"place": place, "version_id": ppm, "product": product, "interest_due_fen": due,
                   "due_before_fen": due, "paid_to_date_fen": paid, "raw_central_fen": exact}
        )  # fmt: skip
        wanted.append((binary(product, ppm, basis, paid, due), exact))
    kinds = {15_000: 360, 10_000: 360, 12_000: 365, 34_567: 365}
    cells = [
        CELL | {"version_id": p, "basis_days": b, "rate_central_e8": p * 100}
        for p, b in kinds.items()
    ]
    found = with_earned(with_rates(pl.DataFrame(rows), pl.DataFrame(cells)))
    with_formula = found["has_formula"].to_list()
    assert [
        pair
        for pair, formula in zip(wanted, with_formula, strict=True)
        if formula and pair[0] != pair[1]
    ] == []
    assert found["to_date_central_fen"].to_list() == [exact for _, exact in wanted]
    assert with_formula.count(False) < 10
    assert set(found["remark"]) <= {"", amounts.TOO_FINE}
