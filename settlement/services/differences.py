"""Explaining a difference that is no fault: said by one, in force when another checks it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from loans.values import reasons
from loans.values.errors import DomainError, bilingual
from settlement.models import DifferenceExplanation, ReconciliationDifference
from settlement.services import checking


@transaction.atomic
def explain_difference(*, difference_id: int, why: str, actor: str, at: datetime) -> int:
    """Say why an open difference is no fault; returns the explanation, which waits for its check.

    Raises DomainError `unknown_difference`, `difference_closed`, `difference_explained`,
    `reason_missing`.
    """
    difference = _open(difference_id)
    if difference.explanations.filter(refused_why="").exists():
        raise DomainError(
            "difference_explained",
            bilingual(
                "该差异已有说明（待复核或已复核）",
                "explained already; the explanation waits for its check or is checked",
            ),
        )
    made = DifferenceExplanation.objects.create(
        institution_id=difference.institution_id,
        difference=difference,
        why=reasons.required(why),
        made_by=actor,
        made_at=at,
    )
    return int(made.pk)


@transaction.atomic
def check_explanation(*, explanation_id: int, actor: str, at: datetime) -> None:
    """Let a second person accept it: the difference no longer makes `reconcile` fail."""
    made = _waiting(explanation_id, actor)
    _open(made.difference_id)
    made.checked_by, made.checked_at = actor, at
    made.save(update_fields=["checked_by", "checked_at"])


@transaction.atomic
def refuse_explanation(*, explanation_id: int, why: str, actor: str, at: datetime) -> None:
    """Let a second person refuse it, for a reason; the difference is open again."""
    made = _waiting(explanation_id, actor)
    made.refused_why = reasons.required(why)
    made.checked_by, made.checked_at = actor, at
    made.save(update_fields=["refused_why", "checked_by", "checked_at"])


def _open(difference_id: int) -> ReconciliationDifference:
    found = ReconciliationDifference.objects.select_for_update().filter(pk=difference_id).first()
    if found is None:
        raise DomainError(
            "unknown_difference",
            bilingual(f"没有这项对账差异：{difference_id}", "no such difference in your scope"),
        )
    if found.closed_at is not None:
        raise DomainError(
            "difference_closed",
            bilingual("该差异已消除，无需说明", "the difference is gone; nothing to explain"),
        )
    return found


def _waiting(explanation_id: int, actor: str) -> DifferenceExplanation:
    """The row, locked; refuses one that waits for nobody, or for oneself."""
    made = DifferenceExplanation.objects.select_for_update().filter(pk=explanation_id).first()
    if made is None:
        raise DomainError(
            "unknown_explanation",
            bilingual(f"没有这条说明：{explanation_id}", "no such explanation in your scope"),
        )
    checking.require_other(row=made, actor=actor)
    return made
