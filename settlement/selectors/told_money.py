"""What finance paid ahead, with what became of it: booked, refused, or waiting for a checker."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import QuerySet

BOOKED, REFUSED, WAITING = "booked", "refused", "waiting"


def pre_allocations() -> QuerySet[Any]:
    """Pre-allocations in sight, with institution and answer."""
    rows: QuerySet[Any] = apps.get_model("loans", "PreAllocation").objects.all()
    return rows.select_related("institution", "receipt", "refusal")


def state_of(pre_allocation: Any) -> str:
    """One of the three words."""
    if hasattr(pre_allocation, "receipt"):
        return BOOKED
    return REFUSED if hasattr(pre_allocation, "refusal") else WAITING


def answer_to(pre_allocation: Any) -> Any:
    """The receipt or the refusal; None while it waits."""
    return getattr(pre_allocation, "receipt", None) or getattr(pre_allocation, "refusal", None)
