"""Guarantee compensation (代偿): who bears what, and when the guarantor stops (ST-09, ST-10)."""

from __future__ import annotations

from settlement.engine.codes import PPM_ONE
from settlement.engine.exact import half_up_int

GUARANTOR_PPM = 700_000
"""The guarantor's part of the unpaid principal; the bank bears the rest (ST-09)."""

STOP_ABOVE_PPM = 30_000
"""Compensation stops while the compensation rate is above this (ST-10)."""


def shares(unpaid_principal_fen: int) -> tuple[int, int]:
    """What do guarantor and bank bear of unpaid principal, in fen?

    The guarantor's part is rounded half up, the bank bears the rest; a reversal is the exact opposite.
    """
    if unpaid_principal_fen < 0:
        guarantor, bank = shares(-unpaid_principal_fen)
        return -guarantor, -bank
    guarantor = half_up_int(unpaid_principal_fen * GUARANTOR_PPM, PPM_ONE)
    return guarantor, unpaid_principal_fen - guarantor


def is_stopped(*, compensated_fen: int, guaranteed_fen: int) -> bool:
    """Is the compensation rate above the limit? Compared crosswise, so nothing is rounded."""
    return compensated_fen * PPM_ONE > guaranteed_fen * STOP_ABOVE_PPM
