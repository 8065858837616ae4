"""Sending what waits in the outbox: at least once, in order per aggregate, with growing pauses.

Nothing is locked in the database while a receiver thinks: a relay holds an advisory lock of its
session for one receiver's events of one aggregate, and writes before and after in one statement
each. The lock dies with its holder's connection. An attempt is counted before it is made, so that one
that kills its relay comes to an end too; what was sent but not noted is sent again.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F

from config.kernel.models import OutboxDelivery, OutboxEvent, OutboxPause
from config.kernel.services import bulk, outbox
from config.kernel.services.outbox import NotSent, Sent

logger = logging.getLogger(__name__)

RELAY_LOCKS = 0x6F77  # seed of advisory locks: one relay per receiver and aggregate
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=6)
ATTEMPTS_MAX = 24  # three days and five hours of trying
LONGEST_PAUSE = timedelta(minutes=5)  # of a receiver that cannot be reached
HEADS = 200
TEXT_MAX = 500

State = OutboxDelivery.State

# The oldest of each receiver's aggregate that it has not got, where its turn has come.
_HEADS = """
SELECT d.id FROM kernel_outboxdelivery d
WHERE d.state = 'waiting' AND d.next_at <= %(at)s AND d.receiver_kind = ANY(%(kinds)s)
    AND NOT EXISTS (
        SELECT FROM kernel_outboxdelivery o
        WHERE o.state IN ('waiting', 'dead') AND o.receiver_kind = d.receiver_kind
            AND o.receiver_id = d.receiver_id AND o.aggregate = d.aggregate
            AND o.event_id < d.event_id)
    AND NOT EXISTS (
        SELECT FROM kernel_outboxpause p
        WHERE p.receiver_kind = d.receiver_kind AND p.receiver_id = d.receiver_id
            AND p.until > %(at)s)
ORDER BY d.next_at, d.id LIMIT %(heads)s
"""


@dataclass(frozen=True)
class Relayed:
    """What one pass did: events looked at for receivers, deliveries made, failed, found dead, given up."""

    events: int = 0
    delivered: int = 0
    failed: int = 0
    dead: int = 0
    given_up: int = 0


def wait_after(attempts: int) -> timedelta:
    """How long after so many failed attempts until the next: 10 s · 2ⁿ, at most 6 hours."""
    doubled: int = 2 ** min(attempts - 1, 20)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)


def relay(*, clock: Callable[[], datetime], until: datetime | None = None) -> Relayed:
    """Send whatever is due, until nothing is or `until` has come; any number may do so at once."""
    assert not connection.in_atomic_block, "nobody waits for a receiver in a transaction"
    done = Relayed(events=outbox.fan_out(at=clock()))
    while True:
        before = done
        for delivery_id in _heads(at=clock()):
            if until is not None and clock() >= until:
                return done
            done = _work_aggregate(delivery_id, done, clock=clock, until=until)
        if done == before:
            return done
        done = replace(done, events=done.events + outbox.fan_out(at=clock()))


def _heads(*, at: datetime) -> list[int]:
    asked = {"at": at, "kinds": outbox.kinds(), "heads": HEADS}
    return [pk for (pk,) in bulk.rows(_HEADS, asked)]


def _work_aggregate(
    delivery_id: int, done: Relayed, *, clock: Callable[[], datetime], until: datetime | None
) -> Relayed:
    """Send a receiver's events of one aggregate, oldest first, until one is not through."""
    head = OutboxDelivery.objects.get(pk=delivery_id)
    key = [f"{head.receiver_kind}:{head.receiver_id}:{head.aggregate}", RELAY_LOCKS]
    if not bulk.rows("SELECT pg_try_advisory_lock(hashtextextended(%s, %s))", key)[0][0]:
        return done
    try:
        while until is None or clock() < until:
            state = _try_oldest(head, clock=clock)
            done = _counted(done, state)
            if state not in (State.DELIVERED, State.GIVEN_UP):
                break
    finally:
        bulk.rows("SELECT pg_advisory_unlock(hashtextextended(%s, %s))", key)
    return done


def _counted(done: Relayed, state: str | None) -> Relayed:
    if state == State.DELIVERED:
        return replace(done, delivered=done.delivered + 1)
    if state == State.WAITING:
        return replace(done, failed=done.failed + 1)
    if state == State.GIVEN_UP:
        return replace(done, given_up=done.given_up + 1)
    return replace(done, dead=done.dead + 1) if state == State.DEAD else done


def _try_oldest(like: OutboxDelivery, *, clock: Callable[[], datetime]) -> str | None:
    """One attempt at the oldest of the aggregate, with its lock in hand; None if its turn is not now."""
    left = OutboxDelivery.objects.filter(
        receiver_kind=like.receiver_kind,
        receiver_id=like.receiver_id,
        aggregate=like.aggregate,
        state__in=[State.WAITING, State.DEAD],
    )
    oldest, at = left.order_by("event_id").select_related("event").first(), clock()
    if oldest is None or oldest.state != State.WAITING or oldest.next_at > at:
        return None
    paused = OutboxPause.objects.filter(
        receiver_kind=like.receiver_kind, receiver_id=like.receiver_id
    )
    if paused.filter(until__gt=at).exists():
        return None
    attempts = oldest.attempts + 1
    mine = OutboxDelivery.objects.filter(pk=oldest.pk)
    counted = mine.filter(state=State.WAITING, attempts__lt=ATTEMPTS_MAX).update(
        attempts=F("attempts") + 1, next_at=at + wait_after(attempts)
    )
    if not counted:
        return _bury(
            oldest, oldest.last_error or "每次尝试时发送进程都中断 / the relay died each time"
        )
    try:
        sent = _send(oldest.event, like, at=at)
    except NotSent as failure:
        return _failed(oldest, failure, attempts=attempts, at=at)
    mine.update(  # also if somebody gave it up meanwhile
        state=State.DELIVERED,
        delivered_at=clock(),
        last_error="",
        status=sent.status,
        proof=_short(sent.proof),
    )
    paused.delete()
    return State.DELIVERED


def _send(event: OutboxEvent, receiver: OutboxDelivery, *, at: datetime) -> Sent:
    """Ask the channel; what it did not foresee is a failed attempt like any other."""
    channel = outbox.channel_of(receiver.receiver_kind)
    assert channel is not None, "only channels that take part are asked"
    try:
        return channel.send(event, receiver.receiver_id, at)
    except NotSent:
        raise
    except Exception as error:
        logger.exception("event %s to %s", event.pk, receiver)
        raise NotSent(f"{type(error).__name__}: {error}") from error


def _failed(delivery: OutboxDelivery, failure: NotSent, *, attempts: int, at: datetime) -> str:
    if failure.unwanted:
        with contextlib.suppress(ValidationError):  # somebody has done so meanwhile
            outbox.give_up(delivery_id=delivery.pk, why=str(failure), actor="system", at=at)
        return State.GIVEN_UP
    if failure.unreachable:
        _pause(delivery, at=at)
    if failure.for_good or attempts >= ATTEMPTS_MAX:
        return _bury(delivery, str(failure), status=failure.status)
    OutboxDelivery.objects.filter(pk=delivery.pk, state=State.WAITING).update(
        last_error=_short(str(failure)), status=failure.status, proof=""
    )
    return State.WAITING


def _bury(delivery: OutboxDelivery, why: str, *, status: int | None = None) -> str:
    logger.warning("event %s is not delivered to %s: %s", delivery.event_id, delivery, _short(why))
    OutboxDelivery.objects.filter(pk=delivery.pk, state=State.WAITING).update(
        state=State.DEAD, last_error=_short(why), status=status, proof=""
    )
    return State.DEAD


def _pause(delivery: OutboxDelivery, *, at: datetime) -> None:
    bulk.execute(
        "INSERT INTO kernel_outboxpause AS p (receiver_kind, receiver_id, failures, until)"
        " VALUES (%(kind)s, %(id)s, 1, %(at)s + %(first)s)"
        " ON CONFLICT (receiver_kind, receiver_id) DO UPDATE SET failures = p.failures + 1,"
        " until = %(at)s + least(%(first)s * 2 ^ least(p.failures, 20), %(longest)s)",
        {
            "kind": delivery.receiver_kind,
            "id": delivery.receiver_id,
            "at": at,
            "first": FIRST_WAIT,
            "longest": LONGEST_PAUSE,
        },
    )


def _short(text: str) -> str:
    """As much of it as is kept, without what PostgreSQL cannot store."""
    return text.replace("\0", "").encode(errors="replace").decode()[:TEXT_MAX]
