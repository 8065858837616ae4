"""What happened at the door: from where somebody came, as whom, and with which result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from config.kernel.models import SignIn, User

BROWSER_MAX, DETAIL_MAX, NAME_MAX = 200, 200, 150
Event, Method = SignIn.Event, SignIn.Method


def client_address(request: HttpRequest) -> str | None:
    """From where does the request come?

    What the connection says, unless that is a trusted proxy: then the last address in
    X-Forwarded-For that no trusted proxy has. What a client writes there itself is never believed.
    None: not an address (a socket of one's own).
    """
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    seen = _address(request.META.get("REMOTE_ADDR", ""))
    while seen is not None and hops and any(seen in one for one in settings.TRUSTED_PROXIES):
        told = _address(hops.pop())
        if told is None:
            break
        seen = told
    return None if seen is None else str(seen)


def is_from_trusted_proxy(request: HttpRequest) -> bool:
    """Whether the connection itself is one of TRUSTED_PROXIES, whose headers are believed."""
    peer = _address(request.META.get("REMOTE_ADDR", ""))
    return peer is not None and any(peer in one for one in settings.TRUSTED_PROXIES)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def name_of(username: str) -> str:
    """How a typed name is written down: a known one as it is, any other as a digest.

    People type passwords into the wrong box; the digest still counts the same wrong name twice.
    """
    if User.objects.filter(username=username).exists():
        return username
    digest = salted_hmac("config.kernel.services.signin", username, algorithm="sha256")
    return f"?{digest.hexdigest()[:16]}"


def name_of_attempt(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str | None:
    """The name an attempt is counted under (see `name_of`)."""
    given = (credentials or request.POST).get("username")
    return None if given is None else name_of(str(given)[:NAME_MAX].replace("\0", ""))


def is_without_name(request: HttpRequest, credentials: Mapping[str, Any] | None) -> bool:
    """Single sign-on brings no name to guess at: its failures lock nobody out."""
    return name_of_attempt(request, credentials) is None


@dataclass(frozen=True)
class Caller:
    """From where, and with what, somebody came."""

    address: str | None = None
    browser: str = ""


def caller(request: HttpRequest) -> Caller:
    """The caller of this request."""
    browser = request.META.get("HTTP_USER_AGENT", "").replace("\0", "")[:BROWSER_MAX]
    return Caller(client_address(request), browser)


def record(
    *,
    event: str,
    at: datetime,
    caller: Caller,
    user: User | None = None,
    username: str = "",
    actor: str = "",
    method: str = "",
    detail: str = "",
) -> None:
    """Write one line of the audit. `username` is a name as typed; `actor`, who did it to another."""
    SignIn.objects.create(
        at=at,
        event=event,
        user=user,
        username=user.username if user else name_of(username[:NAME_MAX]),
        actor=actor,
        address=caller.address,
        browser=caller.browser,
        method=method,
        detail=detail[:DETAIL_MAX],
    )


@dataclass(frozen=True)
class LastSignIn:
    """The sign-in before this one, and how often somebody failed at this name since."""

    at: datetime
    address: str | None
    failures: int


def last_sign_in(*, user: User) -> LastSignIn | None:
    """When and from where did this person come in last? None: never."""
    own = SignIn.objects.filter(user=user)
    last = own.filter(event=Event.SIGNED_IN).order_by("-id").first()
    if last is None:
        return None
    failed = own.filter(id__gt=last.pk, event__in=[Event.REFUSED, Event.CODE_REFUSED, Event.LOCKED])
    return LastSignIn(last.at, last.address, failed.count())


def is_locked(*, user: User, at: datetime) -> bool:
    """Is this name locked from any address?"""
    recent = AccessAttempt.objects.filter(
        username=user.username, attempt_time__gte=at - settings.AXES_COOLOFF_TIME
    )
    per_address = recent.values("ip_address").order_by().annotate(n=Sum("failures_since_start"))
    return any(one["n"] >= settings.AXES_FAILURE_LIMIT for one in per_address)


def unlock(*, user: User, actor: str, why: str, at: datetime, caller: Caller) -> None:
    """Let this name try again from everywhere."""
    AccessAttempt.objects.filter(username=user.username).delete()
    record(event=Event.UNLOCKED, at=at, caller=caller, user=user, actor=actor, detail=why)
