"""How many requests, of what kind, how long: numbers for Prometheus."""

from __future__ import annotations

import os
from fractions import Fraction

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess

# Several web processes write into one folder; one alone keeps its numbers itself.
SHARED = "PROMETHEUS_MULTIPROC_DIR"

NS_PER_SECOND = 10**9
REQUESTS = Counter("tiexi_http_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("tiexi_http_request_seconds", "Time until an answer", ["route"])


def note(*, method: str, route: str, status: int, took_ns: int) -> None:
    """Count one request. `route` is a pattern, so that numbers in addresses make no series of their own."""
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(route).observe(Fraction(took_ns, NS_PER_SECOND))  # type: ignore[arg-type]  # exact till here


def text() -> bytes:
    """All numbers, in Prometheus's text format."""
    if not os.environ.get(SHARED):
        return bytes(generate_latest())
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return bytes(generate_latest(registry))
