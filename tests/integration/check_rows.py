"""Rows of what people check: pre-allocations booked and refused, a recomputation that is being tried."""

from __future__ import annotations

from datetime import date
from typing import Any

from loans.models import PreAllocation
from settlement.models import Receipt, ReceiptRefusal, Recomputation


def answered(like: PreAllocation, by: dict[str, Any]) -> None:
    """That pre-allocation booked, another like it refused, a trial at its institution; `by`: made and checked by whom, when."""
    refused = PreAllocation.objects.get(pk=like.pk)
    refused.pk, refused.document_number = None, f"{like.document_number}-2"
    refused.save(force_insert=True)
    place = like.institution_id
    Receipt.objects.create(institution_id=place, pre_allocation=like, **by)
    ReceiptRefusal.objects.create(
        institution_id=place, pre_allocation=refused, why="金额有误", **by
    )
    Recomputation.objects.create(
        institution_id=place,
        through=date(2026, 3, 31),
        made_by=by["made_by"],
        made_at=by["made_at"],
    )
