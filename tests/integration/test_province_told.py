"""What a province's system is told adds up to what was posted, under the names it first heard."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from config.kernel.models import DeliveryStep, OutboxDelivery
from config.kernel.services import outbox, relay
from settlement.models import Deduction, Payout, ProvinceSystem
from settlement.services import payout_batches, province_systems
from settlement.services.payout_results import take_results
from settlement.services.province_definitions import definitions
from settlement.services.province_systems import Connection
from tests.integration.book import AT, run
from tests.integration.province_double import TOKEN, Province, province
from tests.integration.province_rows import connected
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, SmallBook
from tests.integration.test_payouts import agree

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def jiangsu() -> Iterator[Province]:
    with province() as made:
        yield made
    assert made.wrong == []


@pytest.fixture
def book(tmp_path: Path, settings: Any) -> SmallBook:
    settings.REPORTS_DIR = tmp_path / "store"
    made = SmallBook(tmp_path)
    made.scheme()
    made.scheme(code="other")
    return made


def told(jiangsu: Province, path: str, *names: str) -> list[tuple[Any, ...]]:
    """These fields of every row that was told there, in order."""
    relay.relay(clock=lambda: AT + timedelta(days=1))
    return [
        tuple(row[name] for name in names)
        for there, _, rows in jiangsu.told
        if there == f"/api/loan/{path}"
        for row in rows
    ]


def pay_all(folder: Path) -> None:
    """Every pay-out that is due arrives on 20 November."""
    for batch in payout_batches.prepare(day=date(2026, 11, 20), actor="maker", at=AT):
        payout_batches.check_batch(batch_id=batch, actor="checker", at=AT)
    path = folder / "results.csv"
    path.write_text(
        "payout,attempt,result,paid_on,reference,amount,reason\n"
        + "".join(
            f"{one.pk},1,succeeded,2026-11-20,P{one.pk},{Decimal(one.amount_fen) / 100},\n"
            for one in Payout.objects.order_by("pk")
        )
    )
    take_results(path=path, actor="system", at=AT)


SUBSIDY = ("serialNo", "seq", "payWay", "payDate", "totalAmount")


def test_what_is_set_off_is_told_when_posted_and_the_rest_when_it_has_arrived(
    book: SmallBook, jiangsu: Province, tmp_path: Path
) -> None:
    """March's subsidy was a quarter too much; April's is half paid out, half set off."""
    connected(jiangsu.origin, at=AT)
    book.lend("A", FIRST)
    agree(book)
    book.collect("A", 3)
    run()
    book.repay("A", "2026-03-06", 1_800_000)
    book.collect("A", 4)
    run()
    assert told(jiangsu, "subsidies", *SUBSIDY) == [
        ("A-3", 1, "1", "2026-11-23", "-250.00"),
        ("A-4", 0, "1", "2026-04-11", "250.00"),
    ]
    pay_all(tmp_path)
    assert told(jiangsu, "subsidies", *SUBSIDY)[2:] == [
        ("A-3", 0, "2", "2026-11-20", "1000.00"),
        ("A-4", 0, "2", "2026-11-20", "250.00"),
    ]
    heard: Counter[tuple[str, int]] = Counter()
    for reference, sequence, yuan in told(jiangsu, "subsidies", "serialNo", "seq", "totalAmount"):
        heard[reference, sequence] += int(Decimal(yuan) * 100)
    assert heard == {
        (one.collection.reference, one.sequence): one.municipal_fen
        for one in Deduction.objects.select_related("collection")
    }


def test_a_label_is_told_as_new_when_it_is_given_and_as_withdrawn_when_it_is_taken(
    book: SmallBook, jiangsu: Province
) -> None:
    connected(jiangsu.origin, at=AT)
    book.lend("A", FIRST)
    book.note("A", schemes="test;other")
    book.note("A", schemes="test;other")
    book.note("A", schemes="other")
    assert told(jiangsu, "notes", "policyCode", "opType") == [
        ("test", "A"),
        ("other", "A"), ("test", "U"),
        ("other", "U"), ("test", "D"),
    ]  # fmt: skip


def test_a_note_keeps_the_code_of_the_bank_that_drew_it_after_it_was_moved(
    book: SmallBook, jiangsu: Province
) -> None:
    connected(jiangsu.origin, at=AT)
    book.lend("A", FIRST)
    book.enter(
        "note-transfers",
        {"institution_code": NORTH, "note_number": "A", "moved_on": "2026-02-05",
         "new_institution_code": SOUTH},
    )  # fmt: skip
    book.note("A", schemes="test;other")
    book.collect("A", 2)
    run()
    assert set(told(jiangsu, "notes", "bankCode")) == {(NORTH,)}
    assert set(told(jiangsu, "interests", "bankCode", "noteNo")) == {(NORTH, "A")}
    assert set(told(jiangsu, "subsidies", "bankCode", "noteNo")) == {(NORTH, "A")}


@pytest.mark.parametrize("state", ["waiting", "dead"])
def test_what_a_system_is_no_longer_told_of_is_given_up_and_holds_nothing_up(
    book: SmallBook, jiangsu: Province, state: str
) -> None:
    system = connected(jiangsu.origin, at=AT)
    book.lend("A", FIRST)
    book.lend("B", SECOND, schemes="other")
    outbox.fan_out(at=AT)
    OutboxDelivery.objects.filter(event__scheme_code="test").update(
        state=state, next_at=AT + timedelta(days=9)
    )
    province_systems.change(
        system_id=system.pk, to=Connection(jiangsu.origin, "", ["other"]), actor="root", at=AT
    )
    assert told(jiangsu, "notes", "noteNo") == [("B",)]
    assert list(OutboxDelivery.objects.order_by("event_id").values_list("state", flat=True)) == [
        "given_up", "delivered",
    ]  # fmt: skip
    assert DeliveryStep.objects.values_list("step", "why", "actor").get() == (
        "given_up", "已不在该系统的范围内 / no longer within what the system is told", "root",
    )  # fmt: skip


def test_what_was_looked_up_while_schemes_were_narrowed_is_given_up_when_its_turn_comes(
    book: SmallBook, jiangsu: Province
) -> None:
    system = connected(jiangsu.origin, at=AT)
    book.lend("A", FIRST)
    book.lend("B", SECOND, schemes="other")
    outbox.fan_out(at=AT)
    ProvinceSystem.objects.filter(pk=system.pk).update(scheme_codes=["other"])
    done = relay.relay(clock=lambda: AT)
    assert (done.given_up, done.delivered) == (1, 1)
    assert DeliveryStep.objects.get().actor == "system"


def test_a_process_that_does_not_know_the_definition_loses_nothing(
    book: SmallBook, jiangsu: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected(jiangsu.origin, at=AT)
    known = dict(definitions())
    definitions.cache_clear()
    try:
        with monkeypatch.context() as without:
            for module in ("province_events", "province_sending"):
                without.setattr(f"settlement.services.{module}.definitions", dict)
            book.lend("A", FIRST)
            assert relay.relay(clock=lambda: AT).failed == 1
        assert OutboxDelivery.objects.get().last_error.endswith("jiangsu-http")
    finally:
        definitions.cache_clear()
    assert definitions() == known
    assert told(jiangsu, "notes", "noteNo") == [("A",)]


def test_a_long_receipt_is_read_to_its_end_and_the_secret_in_it_is_not_kept(
    book: SmallBook, jiangsu: Province
) -> None:
    connected(jiangsu.origin, at=AT)
    book.lend("A", FIRST)
    receipt = f'{{"you":"{TOKEN}","rows":[{"1," * 50_000}1],"code":"0"}}'.encode()
    jiangsu.take = lambda *_: (200, receipt)  # type: ignore[method-assign]
    assert relay.relay(clock=lambda: AT).delivered == 1
    assert OutboxDelivery.objects.get().proof.startswith('{"you":"***","rows":[1,1,')


def test_a_secret_is_not_kept_however_json_writes_it(book: SmallBook, jiangsu: Province) -> None:
    secret = 'abc/def"ghi/jkl-mno'
    system = connected(jiangsu.origin, at=AT)
    to = Connection(jiangsu.origin, secret, [])
    province_systems.change(system_id=system.pk, to=to, actor="root", at=AT)
    book.lend("A", FIRST)
    written = json.dumps(secret)
    slashes = written.replace("/", "\\/")  # as PHP writes it
    said = f'{{"code":"1","a":{written},"b":{slashes}}}'.encode()
    jiangsu.take = lambda *_: (200, said)  # type: ignore[method-assign]
    relay.relay(clock=lambda: AT)
    assert OutboxDelivery.objects.get().last_error == (
        '对方未受理 / not accepted: {"code":"1","a":"***","b":"***"}'
    )
