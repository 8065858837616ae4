"""Telling others what happened: written with the effect, sent afterwards, at least once, in order.

An event is a row of the very transaction whose effect it tells, so that none is told of what was
rolled back and none is lost with a message or a process. Whoever is to be told is looked up later by
the worker (`fan_out`), one delivery per event and receiver; `services.relay` sends them. Receivers
belong to channels: webhooks here, others register their own from above.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from config.kernel.models import DeliveryStep, OutboxDelivery, OutboxEvent, OutboxPending
from config.kernel.services import bulk

AGGREGATE_LOCKS = 0x6F75  # seeds of advisory locks: one event of an aggregate is written at a time,
FAN_OUT_LOCK = 0x6F76 << 48  # and one process looks up receivers
FAN_OUT_EVENTS = 1_000
REASON_MAX = 500

State = OutboxDelivery.State


@dataclass(frozen=True)
class Happened:
    """One event to be told: see `OutboxEvent`. Amounts in `payload` are strings in yuan."""

    topic: str
    aggregate: str
    institution_id: int | None
    scheme_code: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Sent:
    """A receiver has it: its status code, if it has such, and what it answered."""

    status: int | None = None
    proof: str = ""


class NotSent(Exception):
    """A receiver has it not, or did not say so.

    `for_good`: trying again is of no use. `unreachable`: nothing else will reach it now either.
    `unwanted`: it is no longer to be told of this; the delivery is given up and holds nothing up.
    """

    def __init__(
        self,
        why: str,
        *,
        status: int | None = None,
        for_good: bool = False,
        unreachable: bool = False,
        unwanted: bool = False,
    ) -> None:
        super().__init__(why)
        self.status, self.for_good, self.unreachable = status, for_good, unreachable
        self.unwanted = unwanted


@dataclass(frozen=True)
class Channel:
    """A way to receivers of one kind.

    `receivers`: which of its receivers are to have which of these events, as (event id, receiver
    id); the payload of one that names its scheme is not loaded.
    `send`: hand one event to one receiver, outside any transaction; raises NotSent. It is asked again
    after a crash, with the same event, so that the receiver must be able to tell it by its number.
    `names`: what people call these receivers, as far as they are known.
    """

    kind: str
    receivers: Callable[[Sequence[OutboxEvent]], Iterable[tuple[int, int]]]
    send: Callable[[OutboxEvent, int, datetime], Sent]
    names: Callable[[Collection[int]], dict[int, str]] = lambda _ids: {}


_channels: dict[str, Channel] = {}


def register(channel: Channel) -> None:
    """Let a channel take part, once per process, from an app's `ready`."""
    _channels[channel.kind] = channel


def kinds() -> list[str]:
    """Which kinds of receivers there are."""
    return sorted(_channels)


def channel_of(kind: str) -> Channel | None:
    """The channel of that kind, if it (still) takes part."""
    return _channels.get(kind)


def emit(
    *,
    topic: str,
    aggregate: str,
    institution_id: int | None,
    scheme_code: str = "",
    payload: Mapping[str, Any],
    at: datetime,
) -> int:
    """Write one event into the transaction of what it tells; returns its number.

    Until that transaction ends no other writes an event of the same aggregate, so that the numbers
    of an aggregate's events grow in the order in which they happened.
    """
    assert connection.in_atomic_block, "an event is written with its effect"
    bulk.rows(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))::text", [aggregate, AGGREGATE_LOCKS]
    )
    happened = Happened(topic, aggregate, institution_id, scheme_code, payload)
    return emit_all(events=[happened], at=at)[0]


def emit_all(*, events: Iterable[Happened], at: datetime) -> list[int]:
    """Write many events at once; returns their numbers.

    Takes no lock: each aggregate is new in this transaction, or the caller holds the lock of what it is.
    """
    assert connection.in_atomic_block, "an event is written with its effect"
    made = OutboxEvent.objects.bulk_create(
        (
            OutboxEvent(
                institution_id=one.institution_id,
                topic=one.topic,
                aggregate=one.aggregate,
                scheme_code=one.scheme_code,
                payload=dict(one.payload),
                created_at=at,
            )
            for one in events
        ),
        batch_size=1_000,
    )
    OutboxPending.objects.bulk_create((OutboxPending(event=one) for one in made), batch_size=5_000)
    return [int(one.pk) for one in made]


_ROWS = """
WITH told AS ({rows}), numbered AS (
    SELECT *, (row_number() OVER (PARTITION BY institution_id, scheme_code ORDER BY place) - 1)
        / %(rows_max)s AS part
    FROM told
), made AS (
    INSERT INTO kernel_outboxevent
        (institution_id, topic, aggregate, scheme_code, payload, created_at)
    SELECT institution_id, %(topic)s, 'institution:' || institution_id, scheme_code,
        jsonb_build_object('rows', jsonb_agg(body ORDER BY place)), %(at)s
    FROM numbered GROUP BY institution_id, scheme_code, part
    ORDER BY institution_id, scheme_code, part
    RETURNING id
)
INSERT INTO kernel_outboxpending (event_id) SELECT id FROM made ORDER BY id
"""


def emit_rows(
    *, topic: str, rows: str, params: Mapping[str, Any], rows_max: int, at: datetime
) -> int:
    """Write events that tell many rows at once, each of one institution and scheme; how many events.

    `rows`: SQL that gives `institution_id, scheme_code, place, body` (jsonb); `place` is their order.
    Takes no lock: a row that follows from another is written after that one's transaction, so that the
    events of an institution are numbered in the order of causes, though not of commits.
    """
    assert connection.in_atomic_block, "an event is written with its effect"
    asked = {**params, "topic": topic, "rows_max": rows_max, "at": at}
    return bulk.execute(_ROWS.format(rows=rows), asked)


def fan_out(*, at: datetime) -> int:
    """Make a delivery of each new event for each of its receivers; returns how many events that were.

    One process at a time, in the order of the events' numbers: a later event of an aggregate is never
    to be sent before an earlier one.
    """
    looked_at = 0
    while True:
        with transaction.atomic():
            if not bulk.rows("SELECT pg_try_advisory_xact_lock(%s)", [FAN_OUT_LOCK])[0][0]:
                return looked_at
            ids = list(
                OutboxPending.objects.order_by("event_id").values_list("event_id", flat=True)[
                    :FAN_OUT_EVENTS
                ]
            )
            OutboxDelivery.objects.bulk_create(_deliveries(_events(ids), at=at), batch_size=1_000)
            OutboxPending.objects.filter(pk__in=ids).delete()
        looked_at += len(ids)
        if len(ids) < FAN_OUT_EVENTS:
            return looked_at


def _events(ids: Sequence[int]) -> list[OutboxEvent]:
    """These events; the payload, which may be large, only of those that name no scheme outside it."""
    found = OutboxEvent.objects.filter(pk__in=ids)
    told = [*found.filter(scheme_code=""), *found.exclude(scheme_code="").defer("payload")]
    return sorted(told, key=lambda event: event.pk)


def _deliveries(events: Sequence[OutboxEvent], *, at: datetime) -> list[OutboxDelivery]:
    by_id = {event.pk: event for event in events}
    due = sorted(
        (event_id, channel.kind, receiver_id)
        for channel in _channels.values()
        for event_id, receiver_id in channel.receivers(events)
    )
    return [
        OutboxDelivery(
            event_id=event_id,
            institution_id=by_id[event_id].institution_id,
            receiver_kind=kind,
            receiver_id=receiver_id,
            aggregate=by_id[event_id].aggregate,
            next_at=at,
        )
        for event_id, kind, receiver_id in due
    ]


@transaction.atomic
def resend(*, delivery_id: int, why: str, actor: str, at: datetime) -> None:
    """Let a dead or given-up delivery be tried anew; ValidationError if it is in no such state."""
    delivery = _locked(delivery_id, State.DEAD, State.GIVEN_UP)
    _note(delivery, DeliveryStep.Step.RESENT, why, actor=actor, at=at)
    OutboxDelivery.objects.filter(pk=delivery.pk).update(
        state=State.WAITING, attempts=0, next_at=at
    )


@transaction.atomic
def give_up(*, delivery_id: int, why: str, actor: str, at: datetime) -> None:
    """Stop trying, and let later events of the aggregate go on; ValidationError if it is through."""
    delivery = _locked(delivery_id, State.WAITING, State.DEAD)
    _note(delivery, DeliveryStep.Step.GIVEN_UP, why, actor=actor, at=at)
    OutboxDelivery.objects.filter(pk=delivery.pk).update(state=State.GIVEN_UP)


@transaction.atomic
def give_up_all(
    *,
    receiver_kind: str,
    receiver_id: int,
    why: str,
    actor: str,
    at: datetime,
    but_of_schemes: Collection[str] = (),
) -> int:
    """Stop trying for a receiver that is no longer to be told, but of some schemes; how many that were."""
    left = (
        OutboxDelivery.objects.select_for_update(of=("self",))
        .filter(
            receiver_kind=receiver_kind,
            receiver_id=receiver_id,
            state__in=[State.WAITING, State.DEAD],
        )
        .exclude(event__scheme_code__in=but_of_schemes)
    )
    found = list(left.order_by("pk"))
    for delivery in found:
        _note(delivery, DeliveryStep.Step.GIVEN_UP, why, actor=actor, at=at)
    OutboxDelivery.objects.filter(pk__in=[one.pk for one in found]).update(state=State.GIVEN_UP)
    return len(found)


def _locked(delivery_id: int, *states: str) -> OutboxDelivery:
    delivery = OutboxDelivery.objects.select_for_update().filter(pk=delivery_id).first()
    if delivery is None:
        raise ValidationError(_("没有这条送达记录"), code="delivery_missing")
    if delivery.state not in states:
        raise ValidationError(
            _("该送达记录现为“%(state)s”，不能办理此步骤"),
            code="delivery_wrong_state",
            params={"state": delivery.get_state_display()},
        )
    return delivery


def _note(delivery: OutboxDelivery, step: str, why: str, *, actor: str, at: datetime) -> None:
    reason = why.strip()
    if not 0 < len(reason) <= REASON_MAX:
        raise ValidationError(_("请填写原因，不超过 500 字"), code="reason_missing")
    DeliveryStep.objects.create(
        institution_id=delivery.institution_id,
        delivery=delivery,
        step=step,
        why=reason,
        attempts=delivery.attempts,
        last_error=delivery.last_error,
        actor=actor,
        at=at,
    )
