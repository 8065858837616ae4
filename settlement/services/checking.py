"""A second person checks what the first has made, once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from config.kernel.models import Checked
from loans.values import reasons
from loans.values.errors import DomainError, bilingual
from settlement.models import SchemeVersion


@transaction.atomic
def check_versions(*, ids: Iterable[int], actor: str, at: datetime) -> int:
    """Let `actor` check these scheme versions, which puts them in force; returns how many were.

    Left alone: what the actor loaded, and what is checked or refused already.
    """
    waiting = SchemeVersion.objects.filter(
        pk__in=list(ids), checked_by__isnull=True, refused_by__isnull=True
    )
    return waiting.exclude(made_by=actor).update(checked_by=actor, checked_at=at)


@transaction.atomic
def check_version(*, version_id: int, actor: str, at: datetime) -> None:
    """Let `actor` check one version, which puts it in force; DomainError `version_not_checked`."""
    if not check_versions(ids=[version_id], actor=actor, at=at):
        raise DomainError(
            "version_not_checked",
            bilingual(
                "未复核：已复核或已退回的不再变动，本人载入的须由另一人复核",
                "not checked: what is checked or refused stays so, what you loaded another must check",
            ),
        )


@transaction.atomic
def refuse_version(*, version_id: int, why: str, actor: str, at: datetime) -> None:
    """Let a second person refuse a version, saying why: it never comes into force."""
    reason = reasons.required(why)
    waiting = SchemeVersion.objects.filter(
        pk=version_id, checked_by__isnull=True, refused_by__isnull=True
    ).exclude(made_by=actor)
    if not waiting.update(refused_by=actor, refused_at=at, refused_why=reason):
        raise DomainError(
            "version_not_refused",
            bilingual(
                "未退回：已复核或已退回的不再变动，本人载入的须由另一人复核",
                "not refused: what is checked or refused stays so, what you loaded another must answer",
            ),
        )


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
