"""Which schemes can a report be about?"""

from __future__ import annotations

from config.kernel.services.bulk import rows


def scheme_codes() -> list[str]:
    """Every scheme with a version that was checked, in the order they were loaded."""
    found = rows(
        "SELECT code FROM settlement_scheme s WHERE EXISTS (SELECT FROM settlement_schemeversion v"
        " WHERE v.scheme_id = s.id AND v.checked_by IS NOT NULL) ORDER BY id"
    )
    return [code for (code,) in found]
