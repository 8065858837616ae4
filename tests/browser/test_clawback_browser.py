"""A clawback in a browser: proposed from the note, decided by another, received in two parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.kernel.models import Institution
from loans.models import Note
from settlement.models import Clawback, LedgerEntry
from tests.browser.desk import CHECKER, MAKER, Desk, desks, two_people, whole
from tests.browser.door import MARKS
from tests.integration.book import run
from tests.integration.small_book import FIRST, TREE, SmallBook

pytestmark = MARKS


@pytest.fixture
def desk(transactional_db: None, tmp_path: Path, live_server: Any) -> Any:
    """A note with two collections of 1,000 yuan of subsidy each."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    for month in (2, 3):
        book.collect("A", month)
    run()
    two_people(Institution.objects.get(code=TREE[0][0]))
    with desks(live_server.url, "clawback") as made:
        yield made


def the() -> Clawback:
    return whole(Clawback.objects.get)


def propose(desk: Desk) -> int:
    """The maker asks 1,500 of the 2,000 yuan back, from the note's page."""
    note = whole(lambda: Note.objects.get().pk)
    desk.go(MAKER, f"loans/note/{note}/change/")
    desk.press(MAKER, "新增追回")
    assert "2,000.00" in desk.look(MAKER, "01-propose")
    asked = {
        "note_number": "A", "scheme": "试验", "tier": "市级", "purpose": "贷款贴息", "year": "2026",
        "origin": "经办提出", "why": "挪用贷款",
    }  # fmt: skip
    desk.fill(MAKER, **asked, amount="2,500.00")
    assert "超" in desk.submit(MAKER)
    assert whole(Clawback.objects.count) == 0
    desk.look(MAKER, "02-too-much")
    desk.fill(MAKER, **asked, amount="1,500.00")
    assert "追回已提出，待他人复核" in desk.submit(MAKER)
    desk.look(MAKER, "03-proposed")
    desk.cannot(MAKER, "decide")
    desk.cannot(MAKER, "dismiss")
    return int(the().pk)


def receive(desk: Desk, key: int, amount: str, reference: str) -> str:
    """The maker enters money that came back; what the page says."""
    desk.go(MAKER, f"settlement/clawback/{key}/change/")
    desk.press(MAKER, "登记到账")
    desk.fill(MAKER, moved_on="2026-07-01", amount=amount, reference=reference)
    return desk.submit(MAKER)


def check(desk: Desk, reference: str, file: str) -> None:
    """The checker comes from home to the movement, sees what it does and agrees."""
    desk.waiting(CHECKER, "追回变动")
    desk.row(CHECKER, reference)
    desk.press(CHECKER, "复核通过")
    shown = desk.look(CHECKER, file)
    for text in ("追回前后", "将入账的分录", "入账前后余额"):
        assert text in shown, text
    assert "已复核" in desk.submit(CHECKER)


def test_a_clawback_is_proposed_decided_and_received_in_parts(desk: Desk) -> None:
    key = propose(desk)
    desk.waiting(CHECKER, "追回")
    desk.row(CHECKER, "1,500.00")
    desk.press(CHECKER, "决定追回")
    shown = desk.look(CHECKER, "04-decide")
    for text in ("将入账的分录", "应收追回", "1,500.00", "挪用贷款"):
        assert text in shown, text
    assert "已决定追回并入账" in desk.submit(CHECKER)
    assert (the().state, the().made_by) == ("decided", MAKER)

    assert "已登记，待他人复核" in receive(desk, key, "400.00", "T1")
    desk.look(MAKER, "05-received")
    desk.cannot(MAKER, "check")
    entries = whole(LedgerEntry.objects.count)
    assert the().received_fen == 0
    check(desk, "T1", "06-check")
    assert whole(LedgerEntry.objects.count) == entries + 1
    shown = desk.go(MAKER, f"settlement/clawback/{key}/change/").inner_text("#content-main")
    assert "400.00" in shown and "1,100.00" in shown

    assert "超过" in receive(desk, key, "1,200.00", "T2")
    desk.look(MAKER, "07-beyond")
    assert "已登记，待他人复核" in receive(desk, key, "1,100.00", "T2")
    check(desk, "T2", "08-check-rest")
    desk.go(CHECKER, f"settlement/clawback/{key}/change/")
    desk.look(CHECKER, "09-received-in-full")
    found = the()
    assert (found.received_fen, found.open_fen) == (150_000, 0)
