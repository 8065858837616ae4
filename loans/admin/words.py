"""Codes of facts as words, whatever column they stand in."""

from __future__ import annotations

from typing import Any

from loans.models.choices import (
    EnvironmentRating,
    LoanType,
    NoteState,
    Ownership,
    Size,
    Title,
)

NAMES: dict[str, Any] = {
    code: name
    for choices in (LoanType, Size, Ownership, EnvironmentRating, NoteState, Title)
    for code, name in choices.choices
}


def in_words(code: object) -> str:
    """The word of a code; any other text as it is."""
    return str(NAMES.get(str(code), code))
