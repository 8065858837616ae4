"""One thing told of an institution, given up and so on: a row in every table of the outbox."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from config.kernel.models import Institution, OutboxDelivery
from config.kernel.services import outbox


def told(of: Institution, at: datetime, *, receiver_id: int = 1) -> OutboxDelivery:
    """An event that nobody could be told of, and that somebody gave up."""
    with transaction.atomic():
        event = outbox.emit(
            topic="run.posted",
            aggregate=f"run:{of.pk}",
            institution_id=of.pk,
            scheme_code="central-sme-2026",
            payload={"run_id": of.pk},
            at=at,
        )
    made = OutboxDelivery.objects.create(
        institution=of, event_id=event, receiver_kind="webhook", receiver_id=receiver_id,
        aggregate=f"run:{of.pk}", state="dead", attempts=24, next_at=at, last_error="HTTP 500: x",
        status=500,
    )  # fmt: skip
    outbox.give_up(delivery_id=made.pk, why="已电话告知", actor="root", at=at)
    return made
