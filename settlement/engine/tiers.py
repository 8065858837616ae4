"""How a total is shared between tiers (domain D11)."""

from __future__ import annotations


def share(uncut: tuple[int, ...], total: int) -> tuple[int, ...]:
    """Share `total` fen between tiers in proportion to their uncut amounts, highest tier first.

    Each lower tier gets the floor of its part, the highest tier present takes the rest, so that the
    parts always add up to the total. What is taken back is shared the same way.
    """
    whole = sum(uncut)
    if total == whole:
        return uncut
    if whole < 0:
        return tuple(-part for part in share(tuple(-amount for amount in uncut), -total))
    if whole <= 0:
        assert total == 0, (uncut, total)
        return tuple(0 for _ in uncut)
    highest = next(place for place, amount in enumerate(uncut) if amount > 0)
    parts = [amount * total // whole for amount in uncut]
    parts[highest] = total - (sum(parts) - parts[highest])
    return tuple(parts)
