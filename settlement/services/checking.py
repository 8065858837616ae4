"""A second person checks what the first has made, once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from config.kernel.models import Checked
from loans.values.errors import DomainError, bilingual
from settlement.models import SchemeVersion


@transaction.atomic
def check_versions(*, ids: Iterable[int], actor: str, at: datetime) -> int:
    """Let `actor` check these scheme versions, which puts them in force; returns how many were.

    Left alone: what the actor loaded, and what is checked already.
    """
    waiting = SchemeVersion.objects.filter(pk__in=list(ids), checked_by__isnull=True)
    return waiting.exclude(made_by=actor).update(checked_by=actor, checked_at=at)


def require_other(*, row: Checked, actor: str) -> None:
    """Refuse whoever made the row (`own_work`), and a row that is checked (`already_checked`)."""
    if row.checked_by is not None or row.made_by == actor:
        raise DomainError(
            "own_work" if row.checked_by is None else "already_checked",
            bilingual(
                "须由另一人复核，且只复核一次",
                "checked once, by another person than who entered it",
            ),
        )
