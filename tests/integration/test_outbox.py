"""The outbox: what happened is told at least once, in order per aggregate, and only if it happened."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction

from config.kernel.models import (
    DeliveryStep,
    Institution,
    OutboxDelivery,
    OutboxEvent,
    OutboxPause,
    OutboxPending,
)
from config.kernel.services import outbox, relay
from config.kernel.services.outbox import Channel, Happened, NotSent, Sent
from tests import database
from tests.integration import rows

AsRole = Callable[..., AbstractContextManager[None]]
AT = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


class Ear:
    """A channel of two receivers, 1 and 2, which both hear everything unless told to fail."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, int, str]] = []
        self.failures: dict[int, list[Exception]] = {}  # of a receiver, in turn
        self.hold: Callable[[OutboxEvent], None] = lambda event: None
        self.receivers = [1]

    def matching(self, events: Any) -> list[tuple[int, int]]:
        return [(event.pk, one) for event in events for one in self.receivers]

    def send(self, event: OutboxEvent, receiver_id: int, at: datetime) -> Sent:
        assert not connection.in_atomic_block
        self.hold(event)
        if self.failures.get(receiver_id):
            raise self.failures[receiver_id].pop(0)
        self.heard.append((receiver_id, event.pk, event.payload["say"]))
        return Sent(status=200, proof=f"heard {event.payload['say']}")


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Ear:
    made = Ear()
    channel = Channel(kind="ear", receivers=made.matching, send=made.send)
    monkeypatch.setattr(outbox, "_channels", {"ear": channel})
    return made


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def banks() -> dict[str, Institution]:
    return rows.institutions()


@transaction.atomic
def say(what: str, aggregate: str = "thing:1", place: Institution | None = None) -> int:
    return outbox.emit(
        topic="said",
        aggregate=aggregate,
        institution_id=place.pk if place else None,
        payload={"say": what},
        at=AT,
    )


def told() -> list[tuple[Any, ...]]:
    found = OutboxDelivery.objects.order_by("pk")
    return list(found.values_list("receiver_id", "state", "attempts", "last_error"))


def test_what_happened_is_told_once(ear: Ear, clock: Clock) -> None:
    event = say("a")
    assert relay.relay(clock=clock) == relay.Relayed(events=1, delivered=1)
    assert relay.relay(clock=clock) == relay.Relayed()
    assert ear.heard == [(1, event, "a")]
    delivery = OutboxDelivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.delivered_at) == ("delivered", 1, AT)
    assert (delivery.status, delivery.proof, delivery.last_error) == (200, "heard a", "")
    assert OutboxPending.objects.count() == 0


def test_what_is_rolled_back_is_never_told(ear: Ear, clock: Clock) -> None:
    with transaction.atomic():
        say("a")
        transaction.set_rollback(True)
    assert relay.relay(clock=clock) == relay.Relayed()
    assert (ear.heard, OutboxEvent.objects.count()) == ([], 0)


def test_an_event_needs_the_transaction_of_its_effect(ear: Ear) -> None:
    with pytest.raises(AssertionError, match="written with its effect"):
        outbox.emit(topic="t", aggregate="a:1", institution_id=None, payload={}, at=AT)
    with pytest.raises(AssertionError, match="written with its effect"):
        outbox.emit_all(events=[Happened("t", "a:1", None, "", {})], at=AT)
    assert OutboxEvent.objects.count() == 0


def test_the_web_writes_events_of_its_scope_and_sends_none(
    ear: Ear, banks: dict[str, Institution], as_role: AsRole
) -> None:
    own, other = banks[rows.NANJING], banks[rows.OTHER]
    with as_role("app", own):
        say("own", place=own)
        assert OutboxEvent.objects.count() == 1
        with pytest.raises(Exception, match="row-level security"), transaction.atomic():
            say("other's", place=other)
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            list(OutboxPending.objects.all())
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            outbox.fan_out(at=AT)
    with as_role("app", other):
        assert OutboxEvent.objects.count() == 0
    assert relay.relay(clock=lambda: AT).delivered == 1
    assert [what for _, _, what in ear.heard] == ["own"]


def test_a_failed_attempt_is_repeated_after_growing_pauses(ear: Ear, clock: Clock) -> None:
    say("a")
    ear.failures[1] = [NotSent("no", status=500), NotSent("not yet", status=503)]
    assert relay.relay(clock=clock) == relay.Relayed(events=1, failed=1)
    assert told() == [(1, "waiting", 1, "no")]
    assert OutboxDelivery.objects.get().next_at == AT + timedelta(seconds=10)
    clock.now += timedelta(seconds=9)
    assert relay.relay(clock=clock) == relay.Relayed()
    clock.now += timedelta(seconds=1)
    assert relay.relay(clock=clock) == relay.Relayed(failed=1)
    assert told() == [(1, "waiting", 2, "not yet")]
    assert OutboxDelivery.objects.get().next_at == clock.now + timedelta(seconds=20)
    clock.now += timedelta(seconds=20)
    assert relay.relay(clock=clock) == relay.Relayed(delivered=1)
    assert told() == [(1, "delivered", 3, "")]


def test_pauses_double_up_to_six_hours() -> None:
    waits = [int(relay.wait_after(attempts).total_seconds()) for attempts in range(1, 24)]
    assert waits[:12] == [10 * 2**n for n in range(12)]
    assert waits[12:] == [6 * 3600] * 11
    assert sum(waits) == 278_550  # three days and five hours until the last attempt


def test_a_later_event_waits_for_an_earlier_one_of_its_aggregate_only(
    ear: Ear, clock: Clock
) -> None:
    first, second, other = say("a"), say("b"), say("c", "thing:2")
    ear.failures[1] = [NotSent("no")]
    assert relay.relay(clock=clock) == relay.Relayed(events=3, delivered=1, failed=1)
    assert ear.heard == [(1, other, "c")]
    clock.now += timedelta(seconds=10)
    assert relay.relay(clock=clock) == relay.Relayed(delivered=2)
    assert ear.heard == [(1, other, "c"), (1, first, "a"), (1, second, "b")]


def test_one_receiver_does_not_wait_for_another(ear: Ear, clock: Clock) -> None:
    ear.receivers = [1, 2]
    first, second = say("a"), say("b")
    ear.failures[1] = [NotSent("no")]
    assert relay.relay(clock=clock) == relay.Relayed(events=2, delivered=2, failed=1)
    assert ear.heard == [(2, first, "a"), (2, second, "b")]


def test_nothing_else_is_tried_where_nobody_can_be_reached(ear: Ear, clock: Clock) -> None:
    for number in range(5):
        say("x", f"thing:{number}")
    ear.failures[1] = [NotSent("connection refused", unreachable=True)] * 2
    assert relay.relay(clock=clock) == relay.Relayed(events=5, failed=1)
    pause = OutboxPause.objects.get()
    assert (pause.failures, pause.until) == (1, AT + timedelta(seconds=10))
    clock.now += timedelta(seconds=10)
    assert relay.relay(clock=clock) == relay.Relayed(failed=1)
    pause.refresh_from_db()
    assert (pause.failures, pause.until) == (2, clock.now + timedelta(seconds=20))
    clock.now += timedelta(seconds=20)
    assert relay.relay(clock=clock) == relay.Relayed(delivered=5)
    assert OutboxPause.objects.count() == 0


def test_an_error_nobody_foresaw_is_a_failed_attempt_of_one(ear: Ear, clock: Clock) -> None:
    say("a")
    say("b", "thing:2")
    ear.failures[1] = [RuntimeError("odd \0 thing")]
    assert relay.relay(clock=clock) == relay.Relayed(events=2, delivered=1, failed=1)
    assert told()[0] == (1, "waiting", 1, "RuntimeError: odd  thing")


def dead(ear: Ear, clock: Clock) -> OutboxDelivery:
    ear.failures[1] = [NotSent("gone", status=410, for_good=True)]
    assert relay.relay(clock=clock).dead == 1
    return OutboxDelivery.objects.get(state="dead")


def test_a_dead_letter_keeps_its_aggregate_waiting_until_it_is_sent_again(
    ear: Ear, clock: Clock
) -> None:
    first, second = say("a"), say("b")
    letter = dead(ear, clock)
    assert (letter.event_id, letter.status, letter.last_error) == (first, 410, "gone")
    clock.now += timedelta(days=1)
    assert relay.relay(clock=clock) == relay.Relayed()
    outbox.resend(delivery_id=letter.pk, why="receiver repaired", actor="root", at=clock.now)
    assert relay.relay(clock=clock) == relay.Relayed(delivered=2)
    assert ear.heard == [(1, first, "a"), (1, second, "b")]
    step = DeliveryStep.objects.get()
    assert (step.step, step.why, step.attempts) == ("resent", "receiver repaired", 1)
    assert (step.actor, step.last_error, step.at) == ("root", "gone", clock.now)


def test_a_dead_letter_given_up_lets_the_next_go(ear: Ear, clock: Clock) -> None:
    say("a")
    second = say("b")
    letter = dead(ear, clock)
    outbox.give_up(delivery_id=letter.pk, why="known otherwise", actor="root", at=AT)
    assert relay.relay(clock=clock) == relay.Relayed(delivered=1)
    assert ear.heard == [(1, second, "b")]
    assert told() == [(1, "given_up", 1, "gone"), (1, "delivered", 1, "")]


def test_after_the_last_attempt_a_delivery_is_dead(ear: Ear, clock: Clock) -> None:
    say("a")
    ear.failures[1] = [NotSent("no", status=500)] * 24
    for _ in range(23):
        assert relay.relay(clock=clock).failed == 1
        clock.now += timedelta(hours=6)
    assert relay.relay(clock=clock) == relay.Relayed(dead=1)
    assert told() == [(1, "dead", 24, "no")]
    assert ear.failures[1] == []


def test_a_delivery_that_kills_its_relay_each_time_is_dead_at_last(ear: Ear, clock: Clock) -> None:
    say("a")
    outbox.fan_out(at=AT)
    OutboxDelivery.objects.update(attempts=24)
    assert relay.relay(clock=clock) == relay.Relayed(dead=1)
    assert ear.heard == []
    assert told()[0][:3] == (1, "dead", 24)


@pytest.mark.parametrize("step", [outbox.resend, outbox.give_up])
def test_what_is_delivered_is_neither_sent_again_nor_given_up(
    ear: Ear, clock: Clock, step: Callable[..., None]
) -> None:
    say("a")
    relay.relay(clock=clock)
    before = told()
    with pytest.raises(ValidationError, match="已送达") as refused:
        step(delivery_id=OutboxDelivery.objects.get().pk, why="again", actor="root", at=AT)
    assert refused.value.code == "delivery_wrong_state"
    assert (told(), DeliveryStep.objects.count()) == (before, 0)


@pytest.mark.parametrize("why", ["", "  ", "x" * 501])
def test_nobody_sends_again_without_saying_why(ear: Ear, clock: Clock, why: str) -> None:
    say("a")
    letter = dead(ear, clock)
    with pytest.raises(ValidationError) as refused:
        outbox.resend(delivery_id=letter.pk, why=why, actor="root", at=AT)
    assert refused.value.code == "reason_missing"
    assert (told(), DeliveryStep.objects.count()) == ([(1, "dead", 1, "gone")], 0)


def test_two_relays_at_once_keep_the_order_of_each_aggregate(ear: Ear, clock: Clock) -> None:
    expected = {name: [say(f"{n}", name) for n in range(20)] for name in ("a:1", "b:1", "c:1")}
    assert outbox.fan_out(at=AT) == 60
    both = threading.Barrier(2, timeout=30)  # each relay holds one aggregate before either goes on
    first_two = {expected["a:1"][0], expected["b:1"][0]}

    def together(event: OutboxEvent) -> None:
        if event.pk in first_two:
            both.wait()

    ear.hold = together

    def work() -> None:
        try:
            relay.relay(clock=clock)
        finally:
            connection.close()

    relays = [threading.Thread(target=work) for _ in range(2)]
    for one in relays:
        one.start()
    for one in relays:
        one.join(60)
    events = dict(OutboxEvent.objects.values_list("pk", "aggregate"))
    heard: dict[str, list[int]] = {}
    for _, event, _ in ear.heard:
        heard.setdefault(events[event], []).append(event)
    assert heard == expected
    assert set(OutboxDelivery.objects.values_list("state", "attempts")) == {("delivered", 1)}


def test_a_number_that_commits_late_is_not_passed_over(ear: Ear, clock: Clock) -> None:
    """Sequences do not commit in their order: an older number may appear after a newer one was told."""
    with database.connect("worker") as late:
        late.autocommit = False
        (older,) = late.execute(
            "INSERT INTO kernel_outboxevent (topic, aggregate, scheme_code, payload, created_at)"
            " VALUES ('said', 'late:1', '', '{\"say\": \"late\"}', now()) RETURNING id"
        ).fetchone()
        late.execute("INSERT INTO kernel_outboxpending VALUES (%s)", [older])
        newer = say("early")
        assert relay.relay(clock=clock) == relay.Relayed(events=1, delivered=1)
        late.commit()
    assert older < newer
    assert relay.relay(clock=clock) == relay.Relayed(events=1, delivered=1)
    assert ear.heard == [(1, newer, "early"), (1, older, "late")]


def test_events_of_one_aggregate_are_numbered_in_the_order_they_commit(ear: Ear) -> None:
    first = threading.Event()

    def second() -> None:
        first.wait(10)
        try:
            say("second")
        finally:
            connection.close()

    other = threading.Thread(target=second)
    other.start()
    with transaction.atomic():
        one = say("first")
        first.set()
        with database.connect("owner") as watch:
            while not watch.execute(
                "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            ).fetchone():
                pass
        assert OutboxEvent.objects.count() == 1
    other.join(30)
    assert list(OutboxEvent.objects.order_by("pk").values_list("payload__say", flat=True)) == [
        "first", "second",
    ]  # fmt: skip
    assert OutboxEvent.objects.order_by("pk")[0].pk == one


def test_a_relay_that_dies_between_sending_and_noting_sends_the_same_event_again(
    ear: Ear, clock: Clock
) -> None:
    event = say("a")

    def cut(_event: OutboxEvent) -> None:
        ear.heard.append((1, _event.pk, "before the cut"))
        ear.hold = lambda event: None
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    ear.hold = cut
    with pytest.raises(OperationalError):
        relay.relay(clock=clock)
    connection.close()
    assert told() == [(1, "waiting", 1, "")]
    clock.now += timedelta(seconds=10)
    assert relay.relay(clock=clock) == relay.Relayed(delivered=1)
    assert ear.heard == [(1, event, "before the cut"), (1, event, "a")]


def test_everything_waiting_for_a_receiver_is_given_up_at_once(ear: Ear, clock: Clock) -> None:
    ear.receivers = [1, 2]
    say("a")
    say("b", "thing:2")
    outbox.fan_out(at=AT)
    given_up = outbox.give_up_all(
        receiver_kind="ear", receiver_id=1, why="closed", actor="root", at=AT
    )
    assert given_up == 2
    assert relay.relay(clock=clock) == relay.Relayed(delivered=2)
    assert {one for one, _, _ in ear.heard} == {2}
    assert DeliveryStep.objects.filter(step="given_up", why="closed").count() == 2
