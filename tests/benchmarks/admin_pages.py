"""Server time and queries of every page of the admin, for three people who see more or less of the book.

Requests go through Django's own handler with every middleware, as the database role `app`. Server time
is the processor time of this process and of the database's process that answers it: what else the
machine does cannot lengthen it. Printed per address: median server time of five answers, median and
slowest time on the clock, queries, status; `over` marks more server time than promised.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from config import checks
from config.settings import connections

connections.choose_role("app")
checks.prepare("app")

from django.conf import settings  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from config.kernel.models import User  # noqa: E402
from config.kernel.services import scope  # noqa: E402
from loans.models import Enterprise, Note  # noqa: E402
from settlement.models import Deduction  # noqa: E402
from tests.integration.signed_in import client_of  # noqa: E402

PAGE_MS, HOME_MS = 300, 500
ROUNDS = 5
VALUES_MAX = 4  # of each filter
TERMS = ("JJ0000", "JJ000000007", "HT00", "样例企业1", "SX7-1", "1", "ZZ-NONE")
STATEMENT_MAX = 3_000


@dataclass
class Measured:
    """One address as one person asks for it."""

    who: str
    what: str
    address: str
    limit_ms: int = PAGE_MS
    clock_ms: list[int] = field(default_factory=list)
    server_ms: list[int] = field(default_factory=list)
    queries: int = 0
    status: int = 0
    slowest: tuple[int, str] = (0, "")

    @property
    def median_ms(self) -> int:
        """Half of the answers took no more."""
        return int(statistics.median(self.server_ms))

    @property
    def is_over(self) -> bool:
        """Does it take longer than promised, or is it no page at all?"""
        return self.median_ms > self.limit_ms or self.status not in {200, 403}

    def line(self) -> str:
        """As printed."""
        clock = f"{int(statistics.median(self.clock_ms)):>7}{max(self.clock_ms):>7}"
        flag = "over" if self.is_over else ""
        return (
            f"{self.median_ms:>7}{clock}{self.queries:>8}{self.status:>7} {flag:<5}"
            f"{self.who:<7} {self.what:<50} {self.address}"
        )


class Watch:
    """Counts statements, and keeps the slowest."""

    def __init__(self) -> None:
        self.count, self.slowest = 0, (0, "")

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, *rest)
        finally:
            took = int((time.perf_counter() - started) * 1000)
            self.count += 1
            self.slowest = max(self.slowest, (took, f"{sql} {rest[0]}"))


PEOPLE = ("all", "bank", "branch")


def signed_in(who: str) -> Client:
    """One of those whom `admin_rows.py` has made; who waits for others is signed out meanwhile."""
    user = User.objects.get(username=f"bench-{who}")
    return client_of(user, raise_request_exception=False, SERVER_NAME="localhost")


def processor_ns() -> int:
    """Processor time of this process and of the server process that answers it, in nanoseconds."""
    connection.ensure_connection()
    backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    there = int(backend.read_text().split()[0]) if backend.exists() else 0
    return time.process_time_ns() + there


def measure(client: Client, page: Measured, rounds: int) -> None:
    """Ask once to warm up and then `rounds` times."""
    for number in range(rounds + 1):
        watch = Watch()
        with connection.execute_wrapper(watch):
            before, started = processor_ns(), time.perf_counter()
            response = client.get(page.address, headers={"host": "localhost"})
            took = int((time.perf_counter() - started) * 1000)
        if number:
            page.clock_ms.append(took)
            page.server_ms.append((processor_ns() - before) // 1_000_000)
        page.queries, page.status = watch.count, response.status_code
        page.slowest = max(page.slowest, watch.slowest)


def in_scope(client: Client, ask: Callable[[], Any]) -> Any:
    """What this person's scope shows of the database."""
    user = User.objects.get(pk=client.session["_auth_user_id"])
    assert user.scope is not None
    with transaction.atomic():
        scope.set_scope(user.scope.lo, user.scope.hi)
        return ask()


def row_pages(who: str, client: Client) -> Iterator[Measured]:
    """Home, and the pages of a note, an enterprise, a deduction and others."""
    yield Measured(who, "home", reverse("admin:index"), HOME_MS)
    borrowers = Enterprise.objects.filter(contracts__isnull=False)
    for known in (Note.objects.all(), borrowers, Deduction.objects.all()):
        rows, model = known.order_by("pk"), known.model
        for name, order in (("first", rows), ("last", rows.reverse())):
            key = in_scope(client, lambda order=order: order.values_list("pk", flat=True).first())
            if key is not None:
                label = model._meta.label_lower.replace(".", "_")
                yield Measured(
                    who, f"page {label} {name}", reverse(f"admin:{label}_change", args=[key])
                )


def list_pages(who: str, client: Client, model: Any) -> Iterator[Measured]:
    """The list, and what the list itself says can be asked of it."""
    label = model._meta.label_lower.replace(".", "_")
    base = reverse(f"admin:{label}_changelist")
    response = client.get(base, headers={"host": "localhost"})
    yield Measured(who, label, base)
    context = getattr(response, "context_data", None)
    if response.status_code != 200 or context is None:
        return
    shown = context["cl"]
    for what, address in (*_paging(shown, label), *_questions(shown)):
        yield Measured(who, f"{label} {what}", address if address[0] == "/" else base + address)


def _paging(shown: Any, label: str) -> Iterator[tuple[str, str]]:
    """The first row's own page, the second and the last page of the list."""
    if len(shown.result_list):
        yield "page", reverse(f"admin:{label}_change", args=[shown.result_list[0].pk])
    if shown.paginator.num_pages > 1:
        for number in sorted({2, shown.paginator.num_pages}):
            yield f"p={number}", f"?p={number}"


def _questions(shown: Any) -> Iterator[tuple[str, str]]:
    """Filters with real values, sorting up and down, searches."""
    for spec in shown.filter_specs:
        for query in _some([choice["query_string"] for choice in spec.choices(shown)][1:]):
            yield str(spec.title), query
    for place, name in enumerate(shown.list_display):
        if name != "action_checkbox" and shown.get_ordering_field(name) and _sortable(shown, name):
            for sign in ("", "-"):
                yield f"by {sign}{name}", f"?o={sign}{place}"
    if shown.model_admin.search_by:
        for term in TERMS:  # beginnings that many rows have, one row has, and none
            yield "q", f"?{urlencode({'q': term})}"


def _sortable(shown: Any, name: str) -> bool:
    return not (shown.sortable_by is not None and name not in shown.sortable_by)


def _some(values: list[str]) -> list[str]:
    if len(values) <= VALUES_MAX:
        return values
    step = (len(values) - 1) / (VALUES_MAX - 1)
    return [values[round(step * number)] for number in range(VALUES_MAX)]


def main() -> None:
    """Ask for every page, print what each took; exit 1 if anything is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="these tables only: note,deduction")
    parser.add_argument("--who", default="", help="this person only: all, bank or branch")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--above", type=int, default=PAGE_MS, help="print what takes longer, in ms")
    asked = parser.parse_args()
    settings.DEBUG = False
    logging.getLogger("django.request").setLevel(logging.CRITICAL)  # refusals are expected
    sys.stdout.write(" server  clock slowest queries status\n")
    pages = []
    for who in PEOPLE:
        if asked.who in ("", who):
            client = signed_in(who)
            for page in addresses(who, client, asked.only):
                measure(client, page, asked.rounds)
                pages.append(page)
                tell(page, asked.above)
    summary(pages)


def tell(page: Measured, above_ms: int) -> None:
    """The line of a page that takes long, and of one that is over also its slowest statement."""
    if page.is_over or page.median_ms > above_ms:
        sys.stdout.write(page.line() + "\n")
    if page.is_over:
        took, statement = page.slowest
        sys.stdout.write(f"        {took} ms {statement[:STATEMENT_MAX]}\n")
    sys.stdout.flush()


def addresses(who: str, client: Client, only: str) -> Iterator[Measured]:
    """Everything there is to ask, or what concerns some tables only."""
    if not only:
        yield from row_pages(who, client)
    for model in sorted(admin.site._registry, key=lambda one: one._meta.label_lower):
        if not only or model._meta.model_name in only.split(","):
            yield from list_pages(who, client, model)


def summary(pages: list[Measured]) -> None:
    """All in all."""
    over = [page for page in pages if page.is_over]
    times = sorted(page.median_ms for page in pages)
    homes = [page.median_ms for page in pages if page.what == "home"] or [0]
    sys.stdout.write(
        f"{len(pages)} addresses: server time {times[len(times) // 2]} ms in the median, 99 of 100 "
        f"within {times[len(times) * 99 // 100]} ms, at most {times[-1]} ms (home {max(homes)} ms), "
        f"at most {max(page.queries for page in pages)} queries; {len(over)} over\n"
    )
    sys.exit(1 if over else 0)


if __name__ == "__main__":
    main()
