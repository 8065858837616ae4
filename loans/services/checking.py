"""A second person checks what the first has entered."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from loans.models import UsccConfirmation
from loans.values import reasons
from loans.values.errors import DomainError, bilingual


@transaction.atomic
def check_confirmation(*, confirmation_id: int, actor: str, at: datetime) -> None:
    """Let a second person take a code for real.

    DomainError `confirmation_not_checked` (checked, refused, or one's own).
    """
    if not _waiting(confirmation_id, actor).update(checked_by=actor, checked_at=at):
        raise DomainError(
            "confirmation_not_checked",
            bilingual(
                "未复核：已复核或已退回的不再变动，本人确认的须由另一人复核",
                "not checked: what is checked or refused stays so, what you confirmed another must answer",
            ),
        )


@transaction.atomic
def refuse_confirmation(*, confirmation_id: int, why: str, actor: str, at: datetime) -> None:
    """Let a second person refuse a code, saying why: files with it stay refused.

    DomainError `reason_missing`, `confirmation_not_refused` (checked, refused, or one's own).
    """
    reason = reasons.required(why)
    waiting = _waiting(confirmation_id, actor)
    if not waiting.update(refused_by=actor, refused_at=at, refused_why=reason):
        raise DomainError(
            "confirmation_not_refused",
            bilingual(
                "未退回：已复核或已退回的不再变动，本人确认的须由另一人复核",
                "not refused: what is checked or refused stays so, what you confirmed another must answer",
            ),
        )


def _waiting(confirmation_id: int, actor: str) -> QuerySet[UsccConfirmation]:
    rows = UsccConfirmation.objects.filter(pk=confirmation_id, checked_by__isnull=True)
    return rows.filter(refused_by__isnull=True).exclude(made_by=actor)
