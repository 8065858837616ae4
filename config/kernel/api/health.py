"""Is this process alive, can it serve, and what does it count: for load balancers and Prometheus."""

from __future__ import annotations

from ipaddress import ip_address

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from config.kernel.services import bulk, metrics

_ROLE = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"


@require_safe
def live(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 (a view)
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 (a view)
    """Whether requests can be served: 200, or 503 naming what is not as it must be."""
    checks = {
        "database": _database(),
        "role": _role(),
        "migrations": _migrations(),
        "broker": _broker(),
    }
    is_ready = all(checks.values())
    words = {name: "ok" if is_well else "failed" for name, is_well in checks.items()}
    body = {"status": "ok" if is_ready else "failed", "checks": words}
    return JsonResponse(body, status=200 if is_ready else 503)


@require_safe
def numbers(request: HttpRequest) -> HttpResponse:
    """The counts, for the machine itself and those that METRICS_ADDRESSES names; 404 for others.

    The connection's own address counts, not what a proxy says of others.
    """
    try:
        asks = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        asks = None
    is_local = asks is None or asks.is_loopback
    forwarded = "HTTP_X_FORWARDED_FOR" in request.META
    allowed = any(asks in network for network in settings.METRICS_ADDRESSES if asks is not None)
    if not allowed and (not is_local or forwarded):
        raise Http404
    return HttpResponse(metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _database() -> bool:
    try:
        return bulk.rows("SELECT 1") == [(1,)]
    except DatabaseError:
        return False


def _role() -> bool:
    """Not a role that row-level security does not bind."""
    try:
        return bulk.rows(_ROLE) == [(False,)]
    except DatabaseError:
        return False


def _migrations() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


def _broker() -> bool:
    try:
        broker = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=None
        )
        with broker:
            return bool(broker.ping())
    except redis.RedisError:
        return False
