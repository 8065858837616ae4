"""A second person checks what the first has entered."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from loans.models import UsccConfirmation


@transaction.atomic
def check_confirmations(*, ids: Iterable[int], actor: str) -> int:
    """Let `actor` check these code confirmations; returns how many were.

    Left alone: what the actor made, and what is checked already.
    """
    waiting = UsccConfirmation.objects.filter(pk__in=list(ids), checked_by__isnull=True)
    return waiting.exclude(made_by=actor).update(checked_by=actor)
