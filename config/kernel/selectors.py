"""Questions about institutions and people."""

from __future__ import annotations

from config.kernel.models import Institution, Scope, User


def institution_range(code: str) -> Scope | None:
    """Which numbers do the institution of this code and all below it have? None if unknown."""
    institution = Institution.objects.filter(code=code).first()
    return None if institution is None else institution.scope


def institution_ids(codes: frozenset[str]) -> dict[str, int]:
    """Which number has each of these codes? Unknown codes are left out."""
    known = Institution.objects.filter(code__in=codes)
    return {code: int(pk) for code, pk in known.values_list("code", "pk")}


def active_user(username: str) -> User | None:
    """Who is this, if he may act at all?"""
    return (
        User.objects.select_related("institution").filter(username=username, is_active=True).first()
    )
