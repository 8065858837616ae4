"""Amounts come out of a workbook as binary fractions written in many digits."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loans.files.cells import RefusedCellError, parse_cell
from loans.files.kinds import KINDS
from loans.files.workbook_cells import cell_text

PRINCIPAL = KINDS["notes"].column("principal")


@given(st.integers(1, 10**13), st.sampled_from(["%.16G", "%.17G"]))
def test_every_amount_survives_sixteen_and_seventeen_digits(fen: int, form: str) -> None:
    binary = form % (Decimal(fen) / 100)
    assert parse_cell(PRINCIPAL, cell_text(PRINCIPAL, "n", binary)) == fen


@pytest.mark.parametrize("text", ["1.005", "86014780.015", "1234567890.123"])
def test_three_decimals_are_still_refused(text: str) -> None:
    with pytest.raises(RefusedCellError):
        parse_cell(PRINCIPAL, cell_text(PRINCIPAL, "n", text))
