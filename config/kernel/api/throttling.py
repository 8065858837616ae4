"""How many requests a minute: one client's haste is no other's wait."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.utils import timezone
from rest_framework.throttling import BaseThrottle

from config.kernel.services import signin

WINDOW_SECONDS = 60
logger = logging.getLogger(__name__)


@cache
def _broker() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=0.2, socket_connect_timeout=0.2, retry=None
    )


def seconds_to_wait(*, name: str, limit: int) -> int | None:
    """Count one request of this name; None, or how long to wait if the minute is used up.

    Without the broker nobody waits: the limit is a courtesy between clients, no rule about money.
    """
    now = int(timezone.localtime().timestamp())
    window, passed = divmod(now, WINDOW_SECONDS)
    key = f"throttle:{name}:{window}"
    try:
        count = _broker().incr(key)
        if count == 1:
            _broker().expire(key, WINDOW_SECONDS)
    except redis.RedisError:
        logger.warning("no broker: requests are not counted")
        return None
    return WINDOW_SECONDS - passed if count > limit else None


class ClientThrottle(BaseThrottle):
    """So many requests a minute, as the client's registration says."""

    def __init__(self) -> None:
        self._wait: int | None = None

    def allow_request(self, request: Any, view: Any) -> bool:  # noqa: ARG002 (the framework's signature)
        """Whether there is room for one more."""
        caller = request.user
        client = getattr(caller, "client", None)
        if client is None:
            address = signin.client_address(request) or "local"
            self._wait = seconds_to_wait(
                name=f"from:{address}", limit=settings.API_STRANGERS_PER_MINUTE
            )
        else:
            limit = client.requests_per_minute
            self._wait = seconds_to_wait(name=f"client:{caller.client_id}", limit=limit)
        return self._wait is None

    def wait(self) -> int | None:
        """Seconds until there is."""
        return self._wait
