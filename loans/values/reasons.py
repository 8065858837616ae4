"""Nobody refuses, dismisses, withdraws or explains anything without saying why."""

from __future__ import annotations

from loans.values.errors import DomainError, bilingual
from loans.values.text import refused_character

REASON_MAX = 500


def required(why: str) -> str:
    """The reason without the spaces around it.

    DomainError `reason_missing` if there is none, `reason_unreadable` if it is longer than 500
    characters or has one that nobody sees.
    """
    text = why.strip()
    if not text:
        raise DomainError("reason_missing", bilingual("请填写原因", "say why"))
    if len(text) > REASON_MAX or refused_character(text) is not None:
        raise DomainError(
            "reason_unreadable",
            bilingual(
                f"原因不得超过 {REASON_MAX} 字，且不得含控制字符",
                f"the reason has more than {REASON_MAX} characters or a control character",
            ),
        )
    return text
