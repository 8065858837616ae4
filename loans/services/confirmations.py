"""Codes that fail their check digit: real ones exist, so two people may let one in (domain §8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from config.kernel.services import bulk
from loans.models import UsccConfirmation


@dataclass(frozen=True)
class Confirming:
    """Somebody says that the failing codes of a file are real, and who checked that, if anybody."""

    checker: str | None
    reason: str = "导入时确认 / confirmed at import"


@transaction.atomic
def confirm_usccs(
    *,
    usccs: Iterable[str],
    institution_id: int | None,
    actor: str,
    at: datetime,
    confirming: Confirming,
) -> None:
    """Record who confirmed these codes in an institution (None: in none, for all of them).

    One confirmed keeps its first record, one refused begins anew.
    """
    said = {
        "reason": confirming.reason,
        "made_by": actor,
        "checked_by": confirming.checker,
        "checked_at": at if confirming.checker else None,
        "at": at,
    }
    codes = set(usccs) - confirmed_usccs()
    here = UsccConfirmation.objects.filter(uscc__in=codes, institution=institution_id)
    here.filter(refused_by__isnull=False).update(
        **said, refused_by=None, refused_at=None, refused_why=""
    )
    known = set(here.values_list("uscc", flat=True))
    UsccConfirmation.objects.bulk_create(
        (
            UsccConfirmation(uscc=uscc, institution_id=institution_id, **said)
            for uscc in sorted(codes - known)
        ),
        ignore_conflicts=True,  # somebody else there says the same at this very moment
    )


def confirmed_usccs() -> frozenset[str]:
    """Codes that one person confirmed and another checked, at whatever institution."""
    return frozenset(code for (code,) in bulk.rows("SELECT loans_confirmed_usccs()"))
