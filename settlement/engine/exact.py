"""Exact integer arithmetic on columns: the engine's only roundings.

Polars wraps integers silently and takes `/` through float, so numbers are widened to Int128 before
the first product and cast back strictly (an amount that does not fit raises).
"""

from __future__ import annotations

import polars as pl

WIDE = pl.Int128


def wide(column: str) -> pl.Expr:
    """A column as Int128, ready to be multiplied."""
    return pl.col(column).cast(WIDE)


def lit(number: int) -> pl.Expr:
    """An exact Int128 constant (a bare literal of 2**64 and more becomes null in Polars)."""
    return pl.lit(number, dtype=WIDE)


def half_up(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """Round numerator / denominator to the nearest whole, halves up; Int128 in, Int64 out.

    Numerators are never negative and denominators above zero (domain D8).
    """
    doubled = numerator * lit(2) + denominator
    return doubled.floordiv(denominator * lit(2)).cast(pl.Int64, strict=True)


def half_up_int(numerator: int, denominator: int) -> int:
    """The same rounding for one Python integer."""
    assert numerator >= 0 and denominator > 0, (numerator, denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def assert_fits(*factors: int) -> None:
    """Refuse a product (twice over, for half-up) that Int128 would wrap without a word."""
    product = 2
    for factor in factors:
        product *= max(abs(factor), 1)
    assert product < 2**126, f"a numerator could leave Int128: {factors}"
