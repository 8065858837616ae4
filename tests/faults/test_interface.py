"""Many at once and killed half-way over real HTTP: one effect per key, and the same answer for ever."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from config.kernel.models import Institution
from config.kernel.services import clients
from config.settings.api import API_SCOPES
from loans.models import Note
from tests.faults.books import Book, until
from tests.faults.web import Answer, Web, at_once, serving

PATH = "repayments/"
STORED = "SELECT count(*) FROM loans_repayment WHERE reference LIKE 'API-%%'"
KEPT = "SELECT count(*) FROM kernel_idempotencykey"


@pytest.fixture
def body(book: Book) -> Callable[[int], dict[str, str]]:
    """Repayments of one fen of a note of the portfolio."""
    with book.inside():
        note = Note.objects.select_related("institution").order_by("pk").first()
        assert note is not None
        place, number = note.institution.code, note.note_number
        day = note.matures_on.isoformat()

    def one(reference: int) -> dict[str, str]:
        return {
            "institution_code": place,
            "note_number": number,
            "repaid_on": day,
            "amount": "0.01",
            "reference": f"API-{reference:06d}",
        }

    return one


@pytest.fixture
def secret(book: Book, body: Callable[[int], dict[str, str]]) -> tuple[str, str]:
    """A core bank's client: its id and secret."""
    with book.inside():
        client, secret = clients.register(
            name="core",
            speaks_for=clients.Speaker(
                institution=Institution.objects.get(code=body(0)["institution_code"])
            ),
            terms=clients.Terms(scopes=tuple(API_SCOPES), requests_per_minute=1_000_000),
            actor="admin",
            at=timezone.localtime(),
        )
        return client.application.client_id, secret


def bodies(answers: list[Answer]) -> set[bytes]:
    return {answer.body for answer in answers}


def test_a_hundred_of_one_key_have_one_effect(
    book: Book, body: Any, secret: tuple[str, str], tmp_path: Path
) -> None:
    with serving(book, tmp_path) as web:
        token = web.token(*secret)
        answers = at_once(web, [(PATH, body(1), "one-key-for-everybody")] * 100, token=token)
    assert Counter(a.status for a in answers) == {201: 100}
    assert Counter(a.headers.get("Idempotent-Replayed") for a in answers) == {None: 1, "true": 99}
    assert len(bodies(answers)) == 1
    assert (book.rows(STORED), book.rows(KEPT)) == ([(1,)], [(1,)])


def test_two_bodies_under_one_key_are_one_effect_and_refusals(
    book: Book, body: Any, secret: tuple[str, str], tmp_path: Path
) -> None:
    posts = [(PATH, body(1 + n % 2), "one-key-for-everybody") for n in range(100)]
    with serving(book, tmp_path) as web:
        answers = at_once(web, posts, token=web.token(*secret))
    assert Counter(a.status for a in answers) == {201: 50, 422: 50}
    refused = [a.json()["code"] for a in answers if a.status == 422]
    assert set(refused) == {"idempotency_key_reused"}
    assert Counter(a.headers.get("Idempotent-Replayed") for a in answers) == {None: 51, "true": 49}
    assert (book.rows(STORED), book.rows(KEPT)) == ([(1,)], [(1,)])


def test_killed_before_commit_a_retry_does_it_once(
    book: Book, body: Any, secret: tuple[str, str], tmp_path: Path
) -> None:
    """The key's row is the last thing written: it waits for the lock, and the process dies waiting."""
    with book.connect("owner") as holder, serving(book, tmp_path) as web:
        token = web.token(*secret)
        holder.execute("LOCK TABLE kernel_idempotencykey IN SHARE MODE")
        lost = threading.Thread(target=_lost, args=(web, body(1), token, ""))
        lost.start()
        book.wait("SELECT count(*) = 1 FROM pg_locks WHERE NOT granted")
        web.kill()
        lost.join()
        holder.rollback()
    book.wait("SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'app'")
    assert (book.rows(STORED), book.rows(KEPT)) == ([(0,)], [(0,)])
    with serving(book, tmp_path) as web:
        first, again = _twice(web, body(1), token)
    assert (first.status, first.headers.get("Idempotent-Replayed")) == (201, None)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert first.body == again.body
    assert (book.rows(STORED), book.rows(KEPT)) == ([(1,)], [(1,)])


def test_killed_after_commit_a_retry_gets_the_answer_that_was_lost(
    book: Book, body: Any, secret: tuple[str, str], tmp_path: Path
) -> None:
    mark = tmp_path / "paused"
    with serving(book, tmp_path) as web:
        token = web.token(*secret)
        lost = threading.Thread(target=_lost, args=(web, body(1), token, str(mark)))
        lost.start()
        until(mark.exists)
        web.kill()
        lost.join()
    assert (book.rows(STORED), book.rows(KEPT)) == ([(1,)], [(1,)])
    ((kept,),) = book.rows("SELECT body FROM kernel_idempotencykey")
    with serving(book, tmp_path) as web:
        first, again = _twice(web, body(1), token)
    assert {first.status, again.status} == {201}
    assert first.headers["Idempotent-Replayed"] == "true"
    assert first.body == again.body
    assert first.json() == json.loads(kept)
    assert (book.rows(STORED), book.rows(KEPT)) == ([(1,)], [(1,)])


def _lost(web: Web, body: Any, token: str, pause: str) -> None:
    """A post whose answer never comes."""
    told = {"X-Pause": pause} if pause else {}
    with pytest.raises(OSError):  # noqa: PT011 (a connection that breaks breaks in several ways)
        web.post(PATH, body, token=token, key="one-key-for-everybody", **told)


def _twice(web: Web, body: Any, token: str) -> list[Answer]:
    return [web.post(PATH, body, token=token, key="one-key-for-everybody") for _ in range(2)]
