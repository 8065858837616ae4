"""The one rounding of the project (domain D8): half up, on exact integers."""


def half_up(numerator: int, denominator: int) -> int:
    """Return numerator ÷ denominator rounded to the nearest integer, halves away from zero.

    Negative results mirror positive ones (四舍五入), so that a reversal is exactly the opposite of
    what it reverses. The denominator must be positive.
    """
    assert denominator > 0, "the denominator must be positive"
    whole = (2 * abs(numerator) + denominator) // (2 * denominator)
    return whole if numerator >= 0 else -whole
