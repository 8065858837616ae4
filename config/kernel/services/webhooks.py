"""Events posted to clients: signed, within what the client may see, to addresses that may be reached.

Each post carries the event's number (`Event-Id`, the same each time it is tried) and one signature
per key that holds (RFC 9421: HMAC-SHA256 over method, address, body digest, content type and event
number). While a key replaces another both sign, so that whoever knows either can verify.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import requests
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

from config.kernel.models import (
    ApiClient,
    FinanceDepartment,
    OutboxEvent,
    Scope,
    WebhookEndpoint,
    WebhookSecret,
)
from config.kernel.services import outbox, posting
from config.kernel.services.event_schemas import TOPICS
from config.kernel.services.outbox import Channel, NotSent, Sent
from config.kernel.services.sealed import seal, unseal

KIND = "webhook"
OVERLAP = timedelta(days=7)  # a replaced key goes on signing so long
GONE = 410
SIGNED = ("@method", "@target-uri", "content-digest", "content-type", "event-id")
DEACTIVATED = "推送地址已停用 / the endpoint was deactivated"


@dataclass(frozen=True)
class Made:
    """An endpoint's new key, as it is said this once."""

    endpoint_id: int
    key_id: str
    secret: str


@transaction.atomic
def add_endpoint(
    *, client_id: int, url: str, topics: Sequence[str], actor: str, at: datetime
) -> Made:
    """Register an address of a client, with its first key. ValidationError for what is not possible."""
    _check(url, topics)
    client = ApiClient.objects.select_for_update(of=("self",)).get(pk=client_id)
    _refuse_known(client.pk, url)
    endpoint = WebhookEndpoint.objects.create(
        client=client, url=url, topics=sorted(topics), made_by=actor, made_at=at
    )
    return _new_secret(endpoint, actor=actor, at=at)


@transaction.atomic
def change_endpoint(*, endpoint_id: int, url: str, topics: Sequence[str]) -> None:
    """Post elsewhere, or about other topics, from now on; what waits goes to the new address."""
    _check(url, topics)
    endpoint = _active(endpoint_id)
    if url != endpoint.url:
        _refuse_known(endpoint.client_id, url)
    endpoint.url, endpoint.topics = url, sorted(topics)
    endpoint.save(update_fields=["url", "topics"])


@transaction.atomic
def rotate_secret(*, endpoint_id: int, actor: str, at: datetime) -> Made:
    """Make a new key; those that hold go on signing beside it for a week."""
    endpoint = _active(endpoint_id)
    endpoint.secrets.filter(ends_at__isnull=True).update(ends_at=at + OVERLAP)
    return _new_secret(endpoint, actor=actor, at=at)


@transaction.atomic
def deactivate(*, endpoint_id: int, why: str, actor: str, at: datetime) -> int:
    """Post nothing there any more and give up what waits; returns how many events that were."""
    endpoint = _active(endpoint_id)
    endpoint.is_active = False
    endpoint.save(update_fields=["is_active"])
    return outbox.give_up_all(
        receiver_kind=KIND, receiver_id=endpoint.pk, why=why, actor=actor, at=at
    )


def secrets_in_force(*, endpoint_id: int, at: datetime) -> list[WebhookSecret]:
    """The keys that sign at that moment, newest first."""
    held = WebhookSecret.objects.filter(endpoint_id=endpoint_id)
    return list(held.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at)).order_by("-pk"))


def _check(url: str, topics: Sequence[str]) -> None:
    posting.check_url(url)
    if not topics or not set(topics) <= set(TOPICS):
        raise ValidationError(_("请选择事件类别"), code="topics_unknown")


def _active(endpoint_id: int) -> WebhookEndpoint:
    found = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id).first()
    if found is None or not found.is_active:
        raise ValidationError(_("推送地址不存在或已停用"), code="endpoint_inactive")
    return found


def _refuse_known(client_id: int, url: str) -> None:
    if WebhookEndpoint.objects.filter(client_id=client_id, url=url, is_active=True).exists():
        raise ValidationError(_("该客户端已登记此地址"), code="endpoint_known")


def _new_secret(endpoint: WebhookEndpoint, *, actor: str, at: datetime) -> Made:
    text = secrets.token_urlsafe(32)
    made = WebhookSecret.objects.create(
        endpoint=endpoint, material=seal(text), made_by=actor, made_at=at
    )
    return Made(endpoint.pk, made.key_id, text)


def receivers(events: Sequence[OutboxEvent]) -> Iterator[tuple[int, int]]:
    """Which endpoints are to have which events: of their topics, within their client's scope."""
    endpoints = WebhookEndpoint.objects.filter(is_active=True, client__is_active=True)
    for endpoint in endpoints.select_related("client__bound_to", "client__department"):
        hears = _hearing(endpoint)
        yield from ((event.pk, endpoint.pk) for event in events if hears(event))


def _hearing(endpoint: WebhookEndpoint) -> Callable[[OutboxEvent], bool]:
    scopes, schemes = told_of(endpoint.client)
    topics = frozenset(endpoint.topics)

    def hears(event: OutboxEvent) -> bool:
        place = event.institution_id
        return (
            event.topic in topics
            and place is not None
            and any(scope.lo <= place <= scope.hi for scope in scopes)
            and (schemes is None or _is_about(event, schemes))
        )

    return hears


def told_of(client: ApiClient) -> tuple[list[Scope], frozenset[str] | None]:
    """The ranges of institutions a client is told of, and the schemes; None is all of them."""
    if client.bound_to is not None:
        return [client.bound_to.scope], None
    department = cast("FinanceDepartment", client.department)
    return department.scopes, frozenset(department.scheme_codes)


def _is_about(event: OutboxEvent, schemes: frozenset[str]) -> bool:
    """Is it about these schemes and no other? One that names none is nobody's who answers for some."""
    named = {event.scheme_code} if event.scheme_code else set(event.payload.get("scheme_codes", ()))
    return bool(named) and named <= schemes


def send(event: OutboxEvent, receiver_id: int, at: datetime) -> Sent:
    """Post one event to an endpoint: any 2xx means that it has it, 410 that it never wants it."""
    endpoint = WebhookEndpoint.objects.select_related("client__bound_to", "client__department").get(
        pk=receiver_id
    )
    if not endpoint.is_active or not endpoint.client.is_active:
        raise NotSent(DEACTIVATED, for_good=True)
    if not _hearing(endpoint)(event):
        raise NotSent(
            "已不在该客户端的范围内 / no longer within what the client is told", for_good=True
        )
    request = signed(endpoint, event, at=at)
    try:
        answer = posting.post(
            endpoint.url, headers=dict(request.headers), body=cast("bytes", request.body)
        )
    except (posting.AddressRefused, ValidationError) as refused:
        raise NotSent(_text(refused), unreachable=True) from refused
    except posting.NoAnswer as silence:
        raise NotSent(str(silence), unreachable=True) from silence
    said = answer.body.decode(errors="replace")
    if 200 <= answer.status < 300:
        return Sent(status=answer.status, proof=said)
    raise NotSent(
        f"HTTP {answer.status}: {said}", status=answer.status, for_good=answer.status == GONE
    )


def _text(refused: Exception) -> str:
    return " ".join(refused.messages) if isinstance(refused, ValidationError) else str(refused)


def body_of(event: OutboxEvent) -> bytes:
    """The event as everybody is told it; `event_schemas` says what is in it."""
    told: dict[str, Any] = {
        "id": str(event.pk),
        "topic": event.topic,
        "created_at": event.created_at.isoformat(),
        "institution_code": event.institution.code if event.institution is not None else None,
        "aggregate": event.aggregate,
        "data": event.payload,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def signed(endpoint: WebhookEndpoint, event: OutboxEvent, *, at: datetime) -> Any:
    """The request as it is posted: a `requests.PreparedRequest` with a signature per key in force."""
    headers = {
        "Content-Type": "application/json",
        "Event-Id": str(event.pk),
        "User-Agent": "tiexi-webhooks/1",
        "Connection": "close",
    }
    body = body_of(event)
    request = requests.Request("POST", endpoint.url, headers=headers, data=body).prepare()
    for key in secrets_in_force(endpoint_id=endpoint.pk, at=at):
        signer = HTTPMessageSigner(
            signature_algorithm=algorithms.HMAC_SHA256, key_resolver=OneKey(unseal(key.material))
        )
        signer.sign(
            request,
            key_id=key.key_id,
            created=at,
            label=key.key_id,
            tag=key.key_id,
            covered_component_ids=SIGNED,
            body=body,
            use_existing_digest="Content-Digest" in request.headers,
            append_if_signature_exists=True,
        )
    return request


class OneKey(HTTPSignatureKeyResolver):
    """The resolver of signatures' library for one shared key."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def resolve_private_key(self, key_id: str) -> bytes:  # noqa: ARG002 (there is one)
        """The key to sign with."""
        return self._secret

    def resolve_public_key(self, key_id: str) -> bytes:  # noqa: ARG002 (there is one)
        """The key to verify with, which is the same."""
        return self._secret


def names(endpoint_ids: Collection[int]) -> dict[int, str]:
    """Whose addresses these are, and where."""
    found = WebhookEndpoint.objects.filter(pk__in=endpoint_ids).select_related("client")
    return {one.pk: f"{one.client.name} {one.url}" for one in found}


CHANNEL = Channel(kind=KIND, receivers=receivers, send=send, names=names)
