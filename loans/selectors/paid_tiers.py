"""Which levels of finance pay for a scheme: whoever knows the terms says so, intake asks.

Loans know schemes as labels alone. An app above them that reads terms adds its answer to `SOURCES`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from loans.files.kind_columns import TIERS
from loans.values.errors import bilingual

SOURCES: list[Callable[[], Mapping[str, Collection[str]]]] = []


def paid_tiers() -> dict[str, frozenset[str]]:
    """Scheme code → tiers it pays; a scheme whose terms are not in force yet is left out."""
    return {code: frozenset(tiers) for source in SOURCES for code, tiers in source().items()}


def tier_not_paid(tier: str, paid: Collection[str]) -> str:
    """That the scheme pays nothing of this tier, and which tiers it pays."""
    own = [name for name in TIERS if name in paid]
    return bilingual(
        f"该政策不使用{TIERS[tier]}资金，只使用：{'、'.join(TIERS[name] for name in own)}",
        f"the scheme pays nothing of the {tier} tier, only: {', '.join(own)}",
    )
