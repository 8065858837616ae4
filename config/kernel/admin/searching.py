"""Search conditions that an index can serve below row-level security: exact, or a range of a prefix."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Q

Condition = Callable[[str], Q]

TERM_MAX = 200
_LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def is_storable(text: str) -> bool:
    """Can PostgreSQL hold this text at all? Not with a NUL or half of a surrogate pair."""
    return "\0" not in text and not any(ord(letter) in _SURROGATES for letter in text)


def exact(path: str) -> Condition:
    """Rows whose value is the term."""
    return lambda term: Q(**{path: term})


def prefix(path: str) -> Condition:
    """Rows whose value begins with the term."""

    def condition(term: str) -> Q:
        after = _after(term)
        bounds = {f"{path}__gte": term} | ({f"{path}__lt": after} if after else {})
        return Q(**bounds)

    return condition


def number(path: str) -> Condition:
    """Rows whose whole number is the term; none if it is not a number."""

    def condition(term: str) -> Q:
        fits = term.isascii() and term.isdigit() and len(term) < 19
        return Q(**{path: int(term)}) if fits else Q(pk__in=[])

    return condition


def _after(term: str) -> str:
    """The first text behind everything that begins with the term; empty if there is none."""
    for place in range(len(term) - 1, -1, -1):
        following = ord(term[place]) + 1
        if following <= _LAST:
            letter = chr(_SURROGATES.stop if following in _SURROGATES else following)
            return term[:place] + letter
    return ""
