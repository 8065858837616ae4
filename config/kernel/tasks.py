"""Bells of the ground floor: what is to be told waits in PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from config.kernel.services import relay

# Less than the time between two bells: however much waits, a worker's other hands stay free for runs.
WORK_TIME = timedelta(seconds=8)


@shared_task(name="kernel.deliver")
def deliver(**_future: object) -> None:
    """Tell receivers what happened."""
    relay.relay(clock=timezone.localtime, until=timezone.localtime() + WORK_TIME)
