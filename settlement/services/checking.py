"""A second person checks the terms the first has loaded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from settlement.models import SchemeVersion


@transaction.atomic
def check_versions(*, ids: Iterable[int], actor: str, at: datetime) -> int:
    """Let `actor` check these scheme versions, which puts them in force; returns how many were.

    Left alone: what the actor loaded, and what is checked already.
    """
    waiting = SchemeVersion.objects.filter(pk__in=list(ids), checked_by__isnull=True)
    return waiting.exclude(made_by=actor).update(checked_by=actor, checked_at=at)
