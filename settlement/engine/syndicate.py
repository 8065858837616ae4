"""What each bank of a syndicate gets of a subsidy (MF-18)."""

from __future__ import annotations

from collections.abc import Mapping

from settlement.engine.codes import PPM_ONE


def split(amount_fen: int, *, shares_ppm: Mapping[int, int], agent: int) -> dict[int, int]:
    """Which part of a subsidy does each bank get, by its share of the loan? Amounts in fen.

    Every participant gets the floor of its part, the agent all that is left, so that the parts always
    add up; what is taken back is split the same way. The agent's own share need not be recorded.
    """
    assert sum(shares_ppm.values()) <= PPM_ONE, shares_ppm
    if amount_fen < 0:
        taken = split(-amount_fen, shares_ppm=shares_ppm, agent=agent)
        return {bank: -part for bank, part in taken.items()}
    parts = {
        bank: amount_fen * share // PPM_ONE for bank, share in shares_ppm.items() if bank != agent
    }
    return {**parts, agent: amount_fen - sum(parts.values())}
