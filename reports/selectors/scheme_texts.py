"""The terms of every scheme version, as they were loaded."""

from __future__ import annotations

from config.kernel.services.bulk import rows


def scheme_texts(*, scheme_code: str | None) -> list[tuple[str, int, str]]:
    """Code, version and text of every checked version, in order."""
    found = rows(
        "SELECT s.code, v.version, v.text FROM settlement_schemeversion v "
        "JOIN settlement_scheme s ON s.id = v.scheme_id WHERE v.checked_by IS NOT NULL "
        'AND (%(scheme)s::text IS NULL OR s.code = %(scheme)s) ORDER BY s.code COLLATE "C", v.version',
        {"scheme": scheme_code},
    )
    return [(code, version, text) for code, version, text in found]
