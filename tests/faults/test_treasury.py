"""Two hundred at once on a fund that holds: as many as it covers, not one more."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from django.utils import timezone

from config.kernel.models import Institution
from config.kernel.services import clients
from config.settings.api import API_SCOPES
from settlement.services.schemes import load_schemes
from tests.faults.books import Book
from tests.faults.web import API, at_once, serving
from tests.integration.book import AT
from tests.integration.small_book import SCHEME

PATH = "pre-allocations/"
HELD = "SELECT special_account_fen, treasury_advance_fen, bank_advance_fen, entries FROM settlement_fund"
KEPT = "SELECT status, count(*) FROM kernel_idempotencykey GROUP BY 1 ORDER BY 1"


def told(place: str, amount: str, document: str) -> dict[str, Any]:
    return {
        "scheme_code": "test",
        "institution_code": place,
        "tier": "municipal",
        "received_on": "2026-01-04",
        "amount": amount,
        "document_number": document,
    }


def registered(book: Book, folder: Path) -> tuple[str, tuple[str, str]]:
    """A scheme that holds, a bank, and its client: id and secret."""
    file = folder / "test.toml"
    file.write_text(
        SCHEME.format(code="test", more="", points="1", fund="unlimited", shortfall="hold"),
        encoding="utf-8",
    )
    with book.inside():
        load_schemes(paths=[file], actor="system", checker="system-checker", at=AT)
        place = Institution.objects.filter(parent=None).order_by("pk")[0]
        client, secret = clients.register(
            name="treasury",
            speaks_for=clients.Speaker(institution=place),
            terms=clients.Terms(scopes=tuple(API_SCOPES), requests_per_minute=1_000_000),
            actor="admin",
            at=timezone.localtime(),
        )
        return place.code, (client.application.client_id, secret)


def test_of_two_hundred_that_draw_on_ninety_eight_exactly_so_many_succeed(
    book: Book, tmp_path: Path
) -> None:
    place, secret = registered(book, tmp_path)
    posts = [(PATH, told(place, "-1.00", f"收回{n}"), f"draw-key-{n:08d}") for n in range(200)]
    with serving(book, tmp_path) as web:
        token = web.token(*secret)
        paid = web.post(PATH, told(place, "98.00", "预拨"), token=token, key="paid-ahead-000001")
        answers = at_once(web, posts, token=token)
        again = at_once(web, posts[:20], token=token)
        address = f"{API}{PATH}by-key/draw-key-00000007/"
        kept = web.ask("GET", address, headers={"Authorization": f"Bearer {token}"}).json()
    assert paid.status == 201, paid.body
    assert Counter(a.status for a in answers) == {201: 98, 409: 102}
    refused = [a.json() for a in answers if a.status == 409]
    assert {(one["code"], one["available"]) for one in refused} == {("insufficient_funds", "0.00")}
    assert [a.body for a in again] == [a.body for a in answers[:20]]
    assert kept["body"] == answers[7].json()
    assert book.rows(HELD) == [(0, 0, 0, 99)]
    assert book.rows(KEPT) == [(201, 99), (409, 102)]
