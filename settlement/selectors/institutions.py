"""Whose money pays for whose notes: the fund institution of every institution (domain §5)."""

from __future__ import annotations

from config.kernel.services.bulk import rows


def fund_institutions(*, level: str) -> dict[int, int]:
    """Institution → the nearest ancestor-or-self at a scheme's fund level, else the root above it."""
    found = rows(
        "SELECT i.id, coalesce(max(a.id) FILTER (WHERE a.level = %s), min(a.id))"
        " FROM kernel_institution i JOIN kernel_institution a ON i.id BETWEEN a.id AND a.last_id"
        " GROUP BY i.id",
        [level],
    )
    return dict(found)
