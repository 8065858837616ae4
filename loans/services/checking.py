"""A second person checks what the first has entered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from loans.models import UsccConfirmation
from loans.values import reasons
from loans.values.errors import DomainError, bilingual


@transaction.atomic
def check_confirmations(*, ids: Iterable[int], actor: str) -> int:
    """Let `actor` check these code confirmations; returns how many were.

    Left alone: what the actor made, and what is checked or refused already.
    """
    return _waiting(ids=ids, actor=actor).update(checked_by=actor)


@transaction.atomic
def refuse_confirmation(*, confirmation_id: int, why: str, actor: str, at: datetime) -> None:
    """Let a second person refuse a code, saying why: files with it stay refused.

    DomainError `reason_missing`, `confirmation_not_refused` (checked, refused, or one's own).
    """
    reason = reasons.required(why)
    waiting = _waiting(ids=[confirmation_id], actor=actor)
    if not waiting.update(refused_by=actor, refused_at=at, refused_why=reason):
        raise DomainError(
            "confirmation_not_refused",
            bilingual(
                "未退回：已复核或已退回的不再变动，本人确认的须由另一人复核",
                "not refused: what is checked or refused stays so, what you confirmed another must answer",
            ),
        )


def _waiting(*, ids: Iterable[int], actor: str) -> QuerySet[UsccConfirmation]:
    rows = UsccConfirmation.objects.filter(pk__in=list(ids), checked_by__isnull=True)
    return rows.filter(refused_by__isnull=True).exclude(made_by=actor)
