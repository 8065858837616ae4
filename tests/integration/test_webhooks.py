"""Webhooks over real HTTP: signed, within the client's scope, tried again, never twice by mistake."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, algorithms

from config.kernel.models import (
    ApiClient,
    DeliveryStep,
    Institution,
    OutboxDelivery,
    OutboxPause,
    WebhookEndpoint,
    WebhookSecret,
)
from config.kernel.services import outbox, posting, relay, sealed, webhooks
from config.kernel.services.webhooks import OneKey
from config.kernel.tasks import deliver
from tests.integration import rows
from tests.integration.listening import Heard, Receiver, listening
from tests.integration.webhook_rows import client, department, endpoint

pytestmark = pytest.mark.django_db(transaction=True)

SAID = {"finding_id": 7}


class Clock:
    """Now, moved by hand."""

    def __init__(self) -> None:
        self.now = timezone.localtime()

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as made:
        yield made


@pytest.fixture
def banks() -> dict[str, Institution]:
    return rows.institutions()


@pytest.fixture
def bank_client(banks: dict[str, Institution], clock: Clock) -> ApiClient:
    return client("core", at=clock.now, bank=banks[rows.BANK])


def say(
    place: Institution,
    *,
    aggregate: str = "finding:7",
    topic: str = "finding.opened",
    scheme_code: str = "sme",
    payload: dict[str, Any] | None = None,
) -> int:
    with transaction.atomic():
        return outbox.emit(
            topic=topic,
            aggregate=aggregate,
            institution_id=place.pk,
            scheme_code=scheme_code,
            payload=payload or SAID,
            at=timezone.localtime(),
        )


def verified(heard: Heard, origin: str, *, key_id: str, secret: str) -> bytes:
    """The body, if the signature under that key covers all of the post; InvalidSignature if not."""
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithms.HMAC_SHA256, key_resolver=OneKey(secret)
    )
    (result,) = verifier.verify(
        heard.as_request(origin), expect_tag=key_id, require_components=webhooks.SIGNED,
        body=heard.body, max_age=timedelta(minutes=5),
    )  # fmt: skip
    assert result.body is not None
    return result.body


def test_an_event_is_posted_once_with_a_signature_that_verifies(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock
) -> None:
    made = endpoint(bank_client, f"{receiver.origin}/events?from=us", at=clock.now)
    event = say(banks[rows.NANJING])
    assert relay.relay(clock=clock) == relay.Relayed(events=1, delivered=1)
    assert relay.relay(clock=clock) == relay.Relayed()
    (heard,) = receiver.heard
    assert (heard.path, heard.headers["Event-Id"]) == ("/events?from=us", str(event))
    assert heard.headers["Content-Type"] == "application/json"
    body = json.loads(verified(heard, receiver.origin, key_id=made.key_id, secret=made.secret))
    assert datetime.fromisoformat(body.pop("created_at")).tzinfo is not None
    assert body == {
        "id": str(event),
        "topic": "finding.opened",
        "institution_code": rows.NANJING,
        "aggregate": "finding:7",
        "data": {"finding_id": 7},
    }
    delivery = OutboxDelivery.objects.get()
    assert (delivery.state, delivery.status, delivery.proof) == ("delivered", 200, "thanks")
    assert made.secret not in WebhookSecret.objects.get().material
    assert sealed.unseal(WebhookSecret.objects.get().material) == made.secret


@pytest.mark.parametrize(
    "alter",
    ["body", "path", "event id", "content type", "secret"],
)
def test_a_post_altered_on_its_way_does_not_verify(
    receiver: Receiver,
    banks: dict[str, Institution],
    bank_client: ApiClient,
    clock: Clock,
    alter: str,
) -> None:
    made = endpoint(bank_client, f"{receiver.origin}/events", at=clock.now)
    say(banks[rows.NANJING])
    relay.relay(clock=clock)
    (heard,) = receiver.heard
    secret = made.secret
    verified(heard, receiver.origin, key_id=made.key_id, secret=secret)
    if alter == "body":
        heard.body = heard.body.replace(b"7", b"8")
    elif alter == "path":
        heard.path = "/other"
    elif alter == "event id":
        heard.headers["Event-Id"] = "99"
    elif alter == "content type":
        heard.headers["Content-Type"] = "text/plain"
    else:
        secret = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    with pytest.raises(InvalidSignature):
        verified(heard, receiver.origin, key_id=made.key_id, secret=secret)


def test_while_a_key_replaces_another_both_verify_and_then_the_new_one_alone(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock
) -> None:
    old = endpoint(bank_client, f"{receiver.origin}/", at=clock.now)
    new = webhooks.rotate_secret(endpoint_id=old.endpoint_id, actor="root", at=clock.now)
    assert (old.key_id != new.key_id, old.secret != new.secret) == (True, True)
    say(banks[rows.NANJING])
    relay.relay(clock=clock)
    for key in (old, new):
        verified(receiver.heard[0], receiver.origin, key_id=key.key_id, secret=key.secret)
    held = webhooks.secrets_in_force(endpoint_id=old.endpoint_id, at=clock.now)
    assert [one.key_id for one in held] == [new.key_id, old.key_id]
    later = clock.now + webhooks.OVERLAP
    assert [
        one.key_id for one in webhooks.secrets_in_force(endpoint_id=old.endpoint_id, at=later)
    ] == [new.key_id]
    WebhookSecret.objects.filter(ends_at__isnull=False).update(ends_at=clock.now)
    say(banks[rows.NANJING])
    relay.relay(clock=clock)
    verified(receiver.heard[1], receiver.origin, key_id=new.key_id, secret=new.secret)
    with pytest.raises(InvalidSignature):
        verified(receiver.heard[1], receiver.origin, key_id=old.key_id, secret=old.secret)


def test_after_an_error_the_same_event_comes_again_under_the_same_number(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock
) -> None:
    made = endpoint(bank_client, f"{receiver.origin}/", at=clock.now)
    receiver.statuses = [500, 302, 404]
    receiver.headers = {"Location": f"{receiver.origin}/elsewhere"}
    event = say(banks[rows.NANJING])
    for wait in (10, 20, 40):
        assert relay.relay(clock=clock).failed == 1
        clock.now += timedelta(seconds=wait)
    assert OutboxDelivery.objects.get().last_error == "HTTP 404: thanks"
    assert relay.relay(clock=clock) == relay.Relayed(delivered=1)
    assert receiver.ids == [str(event)] * 4
    assert {one.path for one in receiver.heard} == {"/"}  # the redirect was not followed
    assert {one.body for one in receiver.heard} == {receiver.heard[0].body}
    assert OutboxDelivery.objects.get().attempts == 4
    assert made.endpoint_id == OutboxDelivery.objects.get().receiver_id


def test_a_receiver_that_does_not_answer_is_tried_again(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 0.3)
    endpoint(bank_client, f"{receiver.origin}/", at=clock.now)
    silence = threading.Event()
    receiver.before_answering = lambda: silence.wait(10)
    event = say(banks[rows.NANJING])
    assert relay.relay(clock=clock) == relay.Relayed(events=1, failed=1)
    delivery = OutboxDelivery.objects.get()
    assert (delivery.state, delivery.status) == ("waiting", None)
    assert delivery.last_error.startswith("没有应答 / no answer within 0.3 s")
    silence.set()
    clock.now += timedelta(seconds=10)
    assert relay.relay(clock=clock) == relay.Relayed(delivered=1)
    assert receiver.ids == [str(event)] * 2


@pytest.mark.parametrize(
    ("where", "came_of_it"),
    [
        ("headers", relay.Relayed(events=1, failed=1)),
        ("body", relay.Relayed(events=1, delivered=1)),
    ],
)
def test_a_receiver_that_answers_without_end_is_cut_off(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock,
    monkeypatch: pytest.MonkeyPatch, where: str, came_of_it: relay.Relayed,
) -> None:  # fmt: skip
    """Its status is its answer; what it goes on saying is not waited for."""
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 0.3)
    endpoint(bank_client, f"{receiver.origin}/", at=clock.now)
    receiver.drip, receiver.drips_in = threading.Event(), where
    say(banks[rows.NANJING])
    assert relay.relay(clock=clock) == came_of_it
    receiver.drip.set()


def test_only_the_beginning_of_an_answer_is_kept(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock
) -> None:
    endpoint(bank_client, f"{receiver.origin}/", at=clock.now)
    receiver.answer = b"\0\xff" + b"x" * 1_000_000
    say(banks[rows.NANJING])
    assert relay.relay(clock=clock).delivered == 1
    assert OutboxDelivery.objects.get().proof == ("\ufffd" + "x" * 1000)[:500]


def test_nobody_listening_pauses_the_receiver(
    banks: dict[str, Institution], bank_client: ApiClient, clock: Clock
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        made = endpoint(bank_client, f"http://127.0.0.1:{unused.getsockname()[1]}/", at=clock.now)
    say(banks[rows.NANJING])
    say(banks[rows.NANJING], aggregate="finding:8")
    assert relay.relay(clock=clock) == relay.Relayed(events=2, failed=1)
    assert OutboxDelivery.objects.order_by("pk")[0].last_error.startswith(
        "无法连接 / cannot connect"
    )
    assert OutboxPause.objects.get().receiver_id == made.endpoint_id


def test_a_receiver_that_says_gone_is_not_asked_again_until_a_person_says_so(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock
) -> None:
    endpoint(bank_client, f"{receiver.origin}/", at=clock.now)
    receiver.statuses = [410]
    first, second = say(banks[rows.NANJING]), say(banks[rows.NANJING])
    assert relay.relay(clock=clock) == relay.Relayed(events=2, dead=1)
    clock.now += timedelta(days=1)
    assert relay.relay(clock=clock) == relay.Relayed()
    dead = OutboxDelivery.objects.get(state="dead")
    outbox.resend(delivery_id=dead.pk, why="restored", actor="root", at=clock.now)
    assert relay.relay(clock=clock) == relay.Relayed(delivered=2)
    assert receiver.ids == [str(first), str(first), str(second)]


def told(receiver: Receiver) -> list[tuple[str, str]]:
    found = [json.loads(one.body) for one in receiver.heard]
    return sorted((one["institution_code"], one["aggregate"]) for one in found)


def test_a_client_hears_its_own_institutions_and_topics_alone(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock
) -> None:
    branch = client("branch", at=clock.now, bank=banks[rows.SUZHOU])
    endpoint(bank_client, f"{receiver.origin}/bank", at=clock.now)
    endpoint(branch, f"{receiver.origin}/branch", at=clock.now)
    endpoint(branch, f"{receiver.origin}/few", at=clock.now, topics=["report.submitted"])
    for number, code in enumerate((rows.NANJING, rows.SUZHOU, rows.OTHER), start=1):
        say(banks[code], aggregate=f"finding:{number}")
    assert relay.relay(clock=clock) == relay.Relayed(events=3, delivered=3)
    heard = sorted((one.path, json.loads(one.body)["aggregate"]) for one in receiver.heard)
    assert heard == [("/bank", "finding:1"), ("/bank", "finding:2"), ("/branch", "finding:2")]


def test_a_department_hears_of_its_schemes_at_its_institutions_alone(
    receiver: Receiver, banks: dict[str, Institution], clock: Clock
) -> None:
    finance = department(schemes=["sme", "equipment"], places=[banks[rows.NANJING]])
    treasury = client("treasury", at=clock.now, department=finance)
    endpoint(treasury, f"{receiver.origin}/", at=clock.now)
    own, other = banks[rows.NANJING], banks[rows.SUZHOU]
    say(own, aggregate="finding:1", scheme_code="sme")
    say(own, aggregate="finding:2", scheme_code="services")
    say(own, aggregate="finding:3", scheme_code="")
    say(other, aggregate="finding:4", scheme_code="sme")
    both = {"scheme_codes": ["equipment", "sme"]}
    more = {"scheme_codes": ["equipment", "services"]}
    say(own, aggregate="report:5", topic="report.submitted", scheme_code="", payload=both)
    say(own, aggregate="report:6", topic="report.submitted", scheme_code="", payload=more)
    relay.relay(clock=clock)
    assert told(receiver) == [(rows.NANJING, "finding:1"), (rows.NANJING, "report:5")]


def test_what_left_the_clients_scope_meanwhile_is_not_posted(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock
) -> None:
    endpoint(bank_client, f"{receiver.origin}/", at=clock.now)
    say(banks[rows.NANJING])
    outbox.fan_out(at=clock.now)
    ApiClient.objects.update(bound_to=banks[rows.OTHER])
    assert relay.relay(clock=clock) == relay.Relayed(dead=1)
    assert receiver.heard == []


def test_a_client_that_was_closed_is_told_nothing(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock
) -> None:
    endpoint(bank_client, f"{receiver.origin}/", at=clock.now)
    say(banks[rows.NANJING])
    outbox.fan_out(at=clock.now)
    ApiClient.objects.update(is_active=False)
    say(banks[rows.NANJING], aggregate="finding:8")
    assert relay.relay(clock=clock) == relay.Relayed(events=1, dead=1)
    assert (receiver.heard, OutboxDelivery.objects.count()) == ([], 1)


def test_a_deactivated_address_gets_nothing_more(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock
) -> None:
    made = endpoint(bank_client, f"{receiver.origin}/", at=clock.now)
    say(banks[rows.NANJING])
    outbox.fan_out(at=clock.now)
    given_up = webhooks.deactivate(
        endpoint_id=made.endpoint_id, why="moved", actor="root", at=clock.now
    )
    say(banks[rows.NANJING])
    assert (given_up, relay.relay(clock=clock)) == (1, relay.Relayed(events=1))
    assert receiver.heard == []
    step = DeliveryStep.objects.get()
    assert (step.step, step.why, step.actor) == ("given_up", "moved", "root")
    with pytest.raises(ValidationError):
        webhooks.rotate_secret(endpoint_id=made.endpoint_id, actor="root", at=clock.now)
    assert WebhookSecret.objects.count() == 1


def test_a_changed_address_gets_what_waits(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock
) -> None:
    made = endpoint(bank_client, f"{receiver.origin}/old", at=clock.now)
    say(banks[rows.NANJING])
    outbox.fan_out(at=clock.now)
    webhooks.change_endpoint(
        endpoint_id=made.endpoint_id, url=f"{receiver.origin}/new", topics=["finding.opened"]
    )
    relay.relay(clock=clock)
    assert [one.path for one in receiver.heard] == ["/new"]
    assert WebhookEndpoint.objects.get().topics == ["finding.opened"]
    states = connection.cursor()
    states.execute("SELECT url, pgh_label FROM kernel_webhookendpointevent ORDER BY pgh_id")
    assert states.fetchall() == [
        (f"{receiver.origin}/old", "added"), (f"{receiver.origin}/old", "before_change"),
    ]  # fmt: skip


RELAYING = """
import sys, django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from django.utils import timezone
from config.kernel.services import relay
relay.relay(clock=timezone.localtime)
"""


def test_a_relay_killed_before_it_notes_the_answer_posts_the_same_event_again(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock
) -> None:
    endpoint(bank_client, f"{receiver.origin}/", at=clock.now)
    event = say(banks[rows.NANJING])
    posted, answer = threading.Event(), threading.Event()

    def hold() -> None:
        posted.set()
        answer.wait(30)

    receiver.before_answering = hold
    process = subprocess.Popen(
        [sys.executable, "-c", RELAYING, str(connection.settings_dict["NAME"])],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"},
    )
    assert posted.wait(60)
    clock.now = timezone.localtime() + timedelta(seconds=20)
    assert relay.relay(clock=clock) == relay.Relayed()  # it is in the other's hand
    process.kill()
    process.wait(10)
    answer.set()
    delivery = OutboxDelivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("waiting", 1)
    clock.now += timedelta(seconds=20)
    while relay.relay(clock=clock) == relay.Relayed():
        pass  # until PostgreSQL has seen that the other is gone
    assert receiver.ids == [str(event), str(event)]
    assert receiver.heard[0].body == receiver.heard[1].body
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("delivered", 2)


def test_the_bell_tells_what_waits(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock
) -> None:
    endpoint(bank_client, f"{receiver.origin}/", at=clock.now)
    event = say(banks[rows.NANJING])
    deliver.delay()
    assert receiver.ids == [str(event)]
