"""Senders of notices are doubled and killed; each notice has one reference, and none is lost."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable

from tests.faults.books import Book, finished, until
from tests.integration.notice_book import KEY, Server, http_gateway

DUE = 60
MAKE = f"""
INSERT INTO loans_enterprisecontact (institution_id, enterprise_id, channel, address, name, in_use)
SELECT i.id, e.id, 'sms', '13800001234', '', true
FROM loans_enterprise e, kernel_institution i WHERE i.parent_id IS NULL;
WITH chosen AS (
    SELECT d.* FROM settlement_deduction d WHERE d.sequence = 0
        AND least(d.central_fen, d.provincial_fen, d.municipal_fen) >= 0
        AND d.central_fen + d.provincial_fen + d.municipal_fen > 0 ORDER BY d.id LIMIT {DUE}
)
INSERT INTO settlement_noticedelivery (notice_id, institution_id, note_id, state, next_at)
SELECT id, institution_id, note_id, 'waiting', now() FROM chosen;
"""
STATES = "SELECT state, count(*) FROM settlement_noticedelivery GROUP BY 1 ORDER BY 1"
FREE = "UPDATE settlement_noticedelivery SET leased_until = now() WHERE leased_until > now()"


def environment(server: Server) -> dict[str, str]:
    """Settings of an installation that sends text messages to this gateway."""
    return {
        "NOTICES_FOR": "*/*", "NOTICES_SMS": server.address, "NOTICES_KEY": KEY,
        "NOTICES_HOTLINE": "95588",
    }  # fmt: skip


def due(undisturbed: Book, books: Callable[..., Book]) -> Book:
    """A copy of a posted book with so many notices to send."""
    book = books(undisturbed.name)
    book.execute(MAKE)
    return book


def test_two_senders_at_once_send_each_notice_once(
    undisturbed: Book, books: Callable[..., Book]
) -> None:
    book = due(undisturbed, books)
    with http_gateway() as server:
        processes = [book.start("send_notices", **environment(server)) for _ in range(2)]
        for process in processes:
            finished(process)
    assert len(server.seen) == DUE
    assert set(Counter(server.references()).values()) == {1}
    assert book.rows(STATES) == [("sent", DUE)]


def test_a_killed_sender_leaves_nothing_unsent_and_repeats_only_what_it_held(
    undisturbed: Book, books: Callable[..., Book]
) -> None:
    book = due(undisturbed, books)
    with http_gateway() as server:
        process = book.start("send_notices", **environment(server))
        until(lambda: len(server.seen) >= 5)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        noted = book.rows("SELECT reference FROM settlement_noticerecord")
        finished(book.start("send_notices", **environment(server)))
        book.execute(FREE)
        finished(book.start("send_notices", **environment(server)))
    counted = Counter(server.references())
    assert len(counted) == DUE
    assert len(server.seen) - DUE <= 1
    assert all(counted[reference] == 1 for (reference,) in noted)
    assert book.rows(STATES) == [("sent", DUE)]
