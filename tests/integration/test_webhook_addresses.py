"""Where events may be posted to: over TLS, to nobody's private network, as looked up once."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from config.kernel.models import (
    ApiClient,
    Institution,
    OutboxDelivery,
    WebhookEndpoint,
    WebhookSecret,
)
from config.kernel.services import posting, relay
from tests.integration import rows
from tests.integration.listening import Receiver, certificate, listening
from tests.integration.test_webhooks import (
    Clock,
    bank_client,  # noqa: F401
    banks,  # noqa: F401
    clock,  # noqa: F401
    receiver,  # noqa: F401
    say,
)
from tests.integration.webhook_rows import endpoint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("url", "topics", "code"),
    [
        ("http://bank.example/", ["run.posted"], "url_not_https"),
        ("ftp://bank.example/", ["run.posted"], "url_not_https"),
        ("https://user:pw@bank.example/", ["run.posted"], "url_unreadable"),
        ("https://bank.example/#part", ["run.posted"], "url_unreadable"),
        ("https://bank.example:99999/", ["run.posted"], "url_unreadable"),
        ("https://银行.example/", ["run.posted"], "url_unreadable"),
        ("https://bank.example/ x", ["run.posted"], "url_unreadable"),
        ("https://bank.example/\r\nX: y", ["run.posted"], "url_unreadable"),
        ("https:///path", ["run.posted"], "url_unreadable"),
        ("https://bank.example/" + "x" * 500, ["run.posted"], "url_unreadable"),
        ("https://10.1.2.3/", ["run.posted"], "url_private"),
        ("https://2130706433/", ["run.posted"], "url_private"),
        ("https://127.1/", ["run.posted"], "url_private"),
        ("https://169.254.169.254/latest", ["run.posted"], "url_private"),
        ("https://[::1]/", ["run.posted"], "url_private"),
        ("https://[::ffff:10.0.0.1]/", ["run.posted"], "url_private"),
        ("https://bank.example/", [], "topics_unknown"),
        ("https://bank.example/", ["run.posted", "all"], "topics_unknown"),
    ],
)
def test_an_address_that_nothing_may_be_posted_to_is_not_registered(
    bank_client: ApiClient, clock: Clock, url: str, topics: list[str], code: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        endpoint(bank_client, url, at=clock.now, topics=topics)
    assert refused.value.code == code
    assert (WebhookEndpoint.objects.count(), WebhookSecret.objects.count()) == (0, 0)


def test_an_address_is_registered_once_for_a_client(bank_client: ApiClient, clock: Clock) -> None:
    endpoint(bank_client, "https://bank.example/", at=clock.now)
    with pytest.raises(ValidationError) as refused:
        endpoint(bank_client, "https://bank.example/", at=clock.now)
    assert (refused.value.code, WebhookEndpoint.objects.count()) == ("endpoint_known", 1)


def test_a_name_that_leads_into_our_own_network_is_not_posted_to(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Looked at when it is posted to: what a name stands for may change after it was registered."""
    port = int(receiver.origin.rpartition(":")[2])
    endpoint(bank_client, f"https://hooks.bank.example:{port}/", at=clock.now)
    say(banks[rows.NANJING])
    answers = [("1.2.3.4", port), ("127.0.0.1", port)]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one) for one in answers]
    monkeypatch.setattr(posting.socket, "getaddrinfo", lambda *_, **__: found)
    assert relay.relay(clock=clock) == relay.Relayed(events=1, failed=1)
    error = OutboxDelivery.objects.get().last_error
    assert error.startswith("hooks.bank.example 指向内网地址 127.0.0.1 / ")
    assert receiver.heard == []


def resolve(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """Let the name stand for this machine; the names that were looked up."""
    asked: list[str] = []
    known = socket.getaddrinfo

    def answer(host: str, port: int, *rest: Any, **options: Any) -> Any:
        asked.append(host)
        return known("127.0.0.1" if host == name else host, port, *rest, **options)

    monkeypatch.setattr(posting.socket, "getaddrinfo", answer)
    return asked


def test_a_private_name_that_the_installation_names_is_posted_to_and_looked_up_once(
    receiver: Receiver, banks: dict[str, Institution], bank_client: ApiClient, clock: Clock,
    monkeypatch: pytest.MonkeyPatch, settings: Any,
) -> None:  # fmt: skip
    settings.WEBHOOK_PRIVATE_HOSTS = settings.WEBHOOK_PLAIN_HOSTS = ("hooks.czj.example",)
    asked = resolve(monkeypatch, "hooks.czj.example")
    port = receiver.origin.rpartition(":")[2]
    endpoint(bank_client, f"http://hooks.czj.example:{port}/", at=clock.now)
    say(banks[rows.NANJING])
    assert relay.relay(clock=clock).delivered == 1
    assert receiver.heard[0].headers["Host"] == f"hooks.czj.example:{port}"
    assert asked.count("hooks.czj.example") == 1


@pytest.mark.parametrize(
    ("trusted", "name", "came_of_it"),
    [(True, "hooks.czj.example", "delivered"), (True, "other.example", "waiting"),
     (False, "hooks.czj.example", "waiting")],
)  # fmt: skip
def test_over_tls_the_receiver_proves_its_name(
    banks: dict[str, Institution], bank_client: ApiClient, clock: Clock, settings: Any,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trusted: bool, name: str, came_of_it: str,
) -> None:  # fmt: skip
    settings.WEBHOOK_PRIVATE_HOSTS = ("hooks.czj.example",)
    resolve(monkeypatch, "hooks.czj.example")
    public, tls = certificate(name, tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(public))
    with listening(tls) as secure:
        port = secure.origin.rpartition(":")[2]
        endpoint(bank_client, f"https://hooks.czj.example:{port}/in", at=clock.now)
        say(banks[rows.NANJING])
        relay.relay(clock=clock)
        assert [one.path for one in secure.heard] == (["/in"] if came_of_it == "delivered" else [])
    delivery = OutboxDelivery.objects.get()
    assert (delivery.state, delivery.last_error.partition(":")[0]) == (
        came_of_it, "" if came_of_it == "delivered" else "TLS",
    )  # fmt: skip
