"""Codes that fail their check digit: real ones exist, so two people may let one in (domain §8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from loans.models import UsccConfirmation


@dataclass(frozen=True)
class Confirming:
    """Somebody says that the failing codes of a file are real, and who checked that, if anybody."""

    checker: str | None
    reason: str = "导入时确认 / confirmed at import"


@transaction.atomic
def confirm_usccs(
    *, usccs: Iterable[str], actor: str, at: datetime, confirming: Confirming
) -> None:
    """Record who confirmed these codes; one confirmed keeps its first record, one refused begins anew."""
    said = {
        "reason": confirming.reason,
        "made_by": actor,
        "checked_by": confirming.checker,
        "at": at,
    }
    codes = set(usccs)
    UsccConfirmation.objects.filter(uscc__in=codes, refused_by__isnull=False).update(
        **said, refused_by=None, refused_at=None, refused_why=""
    )
    known = set(UsccConfirmation.objects.filter(uscc__in=codes).values_list("uscc", flat=True))
    UsccConfirmation.objects.bulk_create(
        UsccConfirmation(uscc=uscc, **said) for uscc in sorted(codes - known)
    )


def confirmed_usccs() -> frozenset[str]:
    """Codes that one person confirmed and another checked."""
    checked = UsccConfirmation.objects.filter(checked_by__isnull=False)
    return frozenset(checked.values_list("uscc", flat=True))
