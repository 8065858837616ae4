"""Nobody refuses, dismisses or withdraws anything without saying why."""

from __future__ import annotations

from loans.values.errors import DomainError, bilingual


def required(why: str) -> str:
    """The reason without the spaces around it; DomainError `reason_missing` if there is none."""
    if not why.strip():
        raise DomainError("reason_missing", bilingual("请填写原因", "say why"))
    return why.strip()
