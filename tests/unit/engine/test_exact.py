"""Rounding and its limits."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.engine import exact

LARGE = st.integers(min_value=0, max_value=10**36)


def _half_up(numerator: int, denominator: int) -> int:
    frame = pl.DataFrame(
        {"n": [numerator], "d": [denominator]}, schema={"n": pl.Int128, "d": pl.Int128}
    )
    value = frame.select(exact.half_up(pl.col("n"), pl.col("d"))).item()
    assert isinstance(value, int)
    return value


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(0, 3, 0), (1, 3, 0), (1, 2, 1), (3, 2, 2), (5, 2, 3), (149, 100, 1), (150, 100, 2)],
)
def test_halves_go_up(numerator: int, denominator: int, expected: int) -> None:
    assert _half_up(numerator, denominator) == expected
    assert exact.half_up_int(numerator, denominator) == expected


@given(LARGE, st.integers(min_value=10**19, max_value=10**24))
def test_columns_and_integers_round_alike_far_beyond_64_bits(numerator: int, below: int) -> None:
    exact_value = Fraction(numerator, below)
    nearest = int(exact_value + Fraction(1, 2))
    assert _half_up(numerator, below) == exact.half_up_int(numerator, below) == nearest


def test_a_result_beyond_64_bits_raises() -> None:
    with pytest.raises(pl.exceptions.InvalidOperationError):
        _half_up(2**64, 1)


def test_constants_keep_their_128_bits() -> None:
    assert pl.select(exact.lit(2**64) * exact.lit(2)).item() == 2**65


def test_a_numerator_that_could_wrap_is_refused() -> None:
    exact.assert_fits(10**18, 10**18)
    with pytest.raises(AssertionError, match="Int128"):
        exact.assert_fits(10**19, 10**19)


def test_integers_refuse_negative_numerators() -> None:
    with pytest.raises(AssertionError):
        exact.half_up_int(-1, 2)
