"""A province's system while several do something at once: clerks on the web, two askers of one system."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from config.kernel.models import Institution, OutboxEvent, OutboxPending
from loans.models import ReviewResult
from loans.services.entry import enter_row
from loans.services.outcomes import Source
from settlement.models import ProvinceAnswer, ProvinceCursor
from settlement.services import province_pulls
from tests.integration.book import AT
from tests.integration.province_double import province
from tests.integration.province_rows import connected
from tests.integration.small_book import FIRST, NORTH, TREE, SmallBook

AsRole = Callable[..., AbstractContextManager[None]]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def book(tmp_path: Path, settings: Any) -> SmallBook:
    settings.REPORTS_DIR = tmp_path / "store"
    made = SmallBook(tmp_path)
    made.scheme()
    made.lend("A", FIRST)
    return made


def test_a_file_that_the_web_takes_in_is_told_too(book: SmallBook, as_role: AsRole) -> None:
    bank = Institution.objects.get(code=TREE[0][0])
    connected("https://province.example", at=AT, bound_to=bank)
    typed = {
        "institution_code": NORTH, "note_number": "A", "period_start": "2026-02-01",
        "period_end": "2026-02-11", "interest_due": "3000.00", "interest_paid": "3000.00",
        "collected_on": "2026-02-11", "reference": "A-2",
    }  # fmt: skip
    with as_role("app", bank):
        source = Source(actor="clerk", at=AT, scope=bank.scope)
        enter_row(kind="interest-collections", values=typed, source=source)
    event = OutboxEvent.objects.get()
    assert (event.topic, event.scheme_code) == ("interest.collected", "test")
    assert event.aggregate == f"institution:{event.institution_id}"
    assert [row["reference"] for row in event.payload["rows"]] == ["A-2"]
    assert OutboxPending.objects.count() == 1


def test_two_askers_at_once_take_an_answer_in_once(book: SmallBook) -> None:
    meet = threading.Barrier(2, timeout=20)
    row = {
        "policyCode": "test", "bankCode": NORTH, "noteNo": "A", "month": "2026-02", "result": "1",
        "docNo": "苏财金〔2026〕1号",
    }  # fmt: skip
    with province() as jiangsu:
        system = connected(jiangsu.origin, at=AT)
        jiangsu.has("/api/review/results", "", [row], "7")
        take = jiangsu.take

        def together(path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
            said = take(path, headers, body)
            if path == "/api/review/results" and b'"cursor":""' in body:
                meet.wait()
            return said

        jiangsu.take = together  # type: ignore[method-assign]
        failed: list[BaseException] = []

        def ask() -> None:
            try:
                assert province_pulls.pull(system_id=system.pk, clock=lambda: AT).problems == []
            except BaseException as error:  # noqa: BLE001 (told to the test)
                failed.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert failed == []
    assert (ReviewResult.objects.count(), ProvinceAnswer.objects.count()) == (1, 1)
    assert ProvinceCursor.objects.get(kind="review-results").cursor == "7"
