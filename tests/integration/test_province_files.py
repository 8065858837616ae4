"""A province's system without an interface: dated files written for it, answers read from an inbox."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config.kernel.models import OutboxDelivery, OutboxEvent
from config.kernel.services import relay, store
from loans.models import ReviewResult
from settlement.models import Payout, ProvinceAnswer, ProvinceCursor
from settlement.services import payout_batches, province_inbox, province_pulls, province_systems
from settlement.services.payout_results import take_results
from tests.faults.books import until
from tests.integration.book import AT, read_csv, run
from tests.integration.province_rows import connected, dropped
from tests.integration.small_book import FIRST, NORTH, SmallBook
from tests.integration.test_payouts import agree

pytestmark = pytest.mark.django_db(transaction=True)

HEADER = "policyCode,bankCode,noteNo,month,result,cutAmount,reason,docNo\n"
CUT = f"test,{NORTH},A,2026-02,3,100.00,重复申报,苏财金〔2026〕1号\n"


@pytest.fixture
def book(tmp_path: Path, settings: Any) -> SmallBook:
    """A note with February's interest, which is paid out from February on."""
    settings.REPORTS_DIR = tmp_path / "store"
    settings.PROVINCE_DIR = tmp_path / "province"
    made = SmallBook(tmp_path)
    made.scheme()
    return made


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "province" / "files"


def dropped_names(place: Path) -> list[str]:
    return sorted(one.name.split("-", 4)[4] for one in place.joinpath("out").iterdir())


def inbox(place: Path, name: str, content: str) -> Path:
    place.joinpath("in").mkdir(parents=True, exist_ok=True)
    path = place / "in" / name
    path.write_text(content, encoding="utf-8")
    written(path, seconds_ago=60)
    return path


def written(path: Path, *, seconds_ago: float) -> None:
    moment = AT.timestamp() - seconds_ago
    os.utime(path, (moment, moment))


def pull(system: Any) -> province_pulls.Pulled:
    return province_pulls.pull(system_id=system.pk, clock=lambda: AT)


def test_each_event_is_one_dated_file_in_their_words(book: SmallBook, place: Path) -> None:
    dropped(at=AT)
    book.lend("A", FIRST)
    book.collect("A", 2)
    run()
    relay.relay(clock=lambda: AT)
    files = sorted(place.joinpath("out").iterdir())
    events = OutboxEvent.objects.exclude(topic="run.posted").order_by("pk")
    assert [one.name for one in files] == [
        f"{event.pk:012d}-001-001-20261123-{event.topic}.csv" for event in events
    ]
    assert read_csv(files[1]) == [
        {
            "bankCode": NORTH, "policyCode": "test", "noteNo": "A", "serialNo": "A-2",
            "startDate": "2026-02-01", "endDate": "2026-02-11", "collectDate": "2026-02-11",
            "interestDue": "3000.00", "interestPaid": "3000.00",
        }
    ]  # fmt: skip
    told = OutboxDelivery.objects.order_by("event_id").last()
    assert told is not None
    assert told.proof == f"{files[2].name} sha256:{store.digest(files[2])}"


def test_a_file_written_again_is_the_same_file(book: SmallBook, place: Path) -> None:
    dropped(at=AT)
    book.lend("A", FIRST)
    relay.relay(clock=lambda: AT)
    (path,) = place.joinpath("out").iterdir()
    before = path.read_bytes()
    OutboxDelivery.objects.update(state="waiting", delivered_at=None)
    relay.relay(clock=lambda: AT)
    assert [one.read_bytes() for one in place.joinpath("out").iterdir()] == [before]


def test_a_pay_out_is_told_once_the_money_has_arrived(
    book: SmallBook, place: Path, tmp_path: Path
) -> None:
    dropped(at=AT)
    book.lend("A", FIRST)
    agree(book)
    book.collect("A", 1)
    book.collect("A", 2)
    run()
    relay.relay(clock=lambda: AT)
    (netted,) = place.joinpath("out").glob("*-subsidy.paid.csv")
    assert [(row["serialNo"], row["payWay"]) for row in read_csv(netted)] == [("A-1", "1")]
    (batch,) = payout_batches.prepare(day=date(2026, 3, 12), actor="maker", at=AT)
    payout_batches.check_batch(batch_id=batch, actor="checker", at=AT)
    path = tmp_path / "results.csv"
    payout = Payout.objects.get()
    path.write_text(
        "payout,attempt,result,paid_on,reference,amount,reason\n"
        f"{payout.pk},1,succeeded,2026-03-13,P77,1000.00,\n"
    )
    for _ in range(2):
        take_results(path=path, actor="system", at=AT)
        relay.relay(clock=lambda: AT)
    _, told = sorted(place.joinpath("out").glob("*-subsidy.paid.csv"))
    (row,) = read_csv(told)
    assert {key: row[key] for key in ("serialNo", "payWay", "payDate", "voucherNo", "totalAmount")} == {
        "serialNo": "A-2", "payWay": "2", "payDate": "2026-03-13", "voucherNo": "P77",
        "totalAmount": "1000.00",
    }  # fmt: skip


def test_answers_are_read_from_the_inbox_and_moved_when_taken_in(
    book: SmallBook, place: Path
) -> None:
    book.lend("A", FIRST)
    system = dropped(at=AT)
    inbox(place, "review-results-1.csv", "\ufeff" + HEADER + CUT)
    inbox(place, "review-results-2.csv", HEADER)
    inbox(place, "letter.txt", "hello")
    pulled = pull(system)
    assert (pulled.answers, pulled.inserted, pulled.problems) == (1, 1, [])
    assert ReviewResult.objects.values_list("result", "amount_fen").get() == ("disallowed", 10_000)
    assert [one.name for one in place.joinpath("in").iterdir()] == ["letter.txt"]
    assert sorted(one.name for one in place.joinpath("done").iterdir()) == [
        "review-results-1.csv",
        "review-results-2.csv",
    ]
    assert ProvinceAnswer.objects.get().source == "review-results-1.csv"
    inbox(place, "review-results-1.csv", HEADER + CUT)  # without the mark: other bytes, same rows
    assert pull(system).inserted == 0
    assert len(list(place.joinpath("done").iterdir())) == 3
    assert ReviewResult.objects.count() == 1


def test_a_file_that_is_refused_stays_and_holds_up_those_behind_it(
    book: SmallBook, place: Path
) -> None:
    system = dropped(at=AT)
    first = inbox(place, "review-results-1.csv", HEADER + CUT)
    second = inbox(place, "review-results-2.csv", HEADER + CUT.replace("1号", "2号"))
    for _ in range(2):
        assert len(pull(system).problems) == 1
    assert (first.exists(), second.exists(), ReviewResult.objects.exists()) == (True, True, False)
    answer = ProvinceAnswer.objects.get()
    assert (answer.source, answer.outcome, answer.problems[0][1:3]) == (
        "review-results-1.csv", "refused", ["note_number", "A"],
    )  # fmt: skip
    with pytest.raises(CommandError, match="1 problems"):
        call_command("pull_province", "files", verbosity=0)
    book.lend("A", FIRST)
    assert (pull(system).inserted, ReviewResult.objects.count()) == (2, 2)
    assert ProvinceCursor.objects.get(kind="review-results").problem == ""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "末行没有换行"),
        (HEADER + CUT.rstrip("\n"), "末行没有换行"),
        ("a,a\n1,2\n", "表头重复"),
        (HEADER.replace("cutAmount", "cutAmt") + CUT, "缺少列 cutAmount"),
        (HEADER + "test,1\n", "列数不符"),
        (HEADER + '"open\n', "CSV 无法读取"),
        ("\x00" + HEADER, "空字符"),
    ],
)
def test_a_file_that_is_no_table_is_refused(
    book: SmallBook, place: Path, content: str, why: str
) -> None:
    book.lend("A", FIRST)
    system = dropped(at=AT)
    path = inbox(place, "review-results.csv", content)
    (problem,) = pull(system).problems
    assert (why in problem, ReviewResult.objects.exists()) == (True, False)
    assert (path.exists(), ProvinceAnswer.objects.get().outcome) == (True, "refused")


def test_what_stood_in_the_way_is_over_when_its_file_is_gone(book: SmallBook, place: Path) -> None:
    system = dropped(at=AT)
    path = inbox(place, "review-results-1.csv", HEADER + CUT)
    assert len(pull(system).problems) == 1
    assert ProvinceCursor.objects.get(kind="review-results").problem != ""
    path.unlink()
    assert pull(system).problems == []
    assert ProvinceCursor.objects.get(kind="review-results").problem == ""


def test_a_file_that_is_still_written_to_is_left_for_the_next_time(
    book: SmallBook, place: Path
) -> None:
    book.lend("A", FIRST)
    system = dropped(at=AT)
    path = inbox(place, "review-results-1.csv", HEADER + CUT)
    written(path, seconds_ago=4)
    assert (pull(system).answers, path.exists()) == (0, True)
    written(path, seconds_ago=-60)
    assert (pull(system).answers, path.exists()) == (0, True)
    written(path, seconds_ago=-61)
    assert pull(system).problems == [
        "review-results: review-results-1.csv: 文件时间在未来，请对时 / its time is in the future: set"
        " the clocks"
    ]
    written(path, seconds_ago=5)
    assert (pull(system).answers, path.exists()) == (1, False)


def test_a_name_that_is_no_text_is_told(book: SmallBook, place: Path) -> None:
    system = dropped(at=AT)
    place.joinpath("in").mkdir(parents=True)
    Path(os.fsdecode(os.fsencode(place / "in" / "review-results") + b"\xb9.csv")).touch()
    (problem,) = pull(system).problems
    assert "文件名须为 UTF-8" in problem
    assert "文件名须为 UTF-8" in ProvinceCursor.objects.get(kind="review-results").problem


def test_a_file_that_is_written_to_after_it_was_moved_comes_back(
    book: SmallBook, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer still had it open: what was added is read the next time."""
    book.lend("A", FIRST)
    system = dropped(at=AT)
    path = inbox(place, "review-results-1.csv", HEADER + CUT)
    replace = Path.replace

    def grows(self: Path, target: Path) -> Path:
        moved = replace(self, target)
        if moved.parent.name == "done":
            with moved.open("a", encoding="utf-8") as file:
                file.write(CUT.replace("1号", "2号"))
        return moved

    with monkeypatch.context() as growing:
        growing.setattr(Path, "replace", grows)
        pull(system)
    assert (ReviewResult.objects.count(), path.exists()) == (1, True)
    written(path, seconds_ago=60)
    assert (pull(system).inserted, path.exists()) == (1, False)


def test_a_file_that_grows_while_it_is_read_stays_in_the_inbox(
    book: SmallBook, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read of it is taken in; the rest is when it is read again."""
    book.lend("A", FIRST)
    system = dropped(at=AT)
    path = inbox(place, "review-results-1.csv", HEADER + CUT)
    kept = province_pulls._kept

    def grows(content: bytes) -> str:
        path.write_text(HEADER + CUT + CUT.replace("1号", "2号"), encoding="utf-8")
        return kept(content)

    with monkeypatch.context() as growing:
        growing.setattr(province_pulls, "_kept", grows)
        pull(system)
    assert (ReviewResult.objects.count(), path.exists()) == (1, True)
    written(path, seconds_ago=60)
    assert (pull(system).inserted, path.exists()) == (1, False)


def test_one_process_at_a_time_reads_an_inbox(book: SmallBook, place: Path) -> None:
    book.lend("A", FIRST)
    system = dropped(at=AT)
    path = inbox(place, "review-results-1.csv", HEADER + CUT)
    key = [f"{system.pk}:review-results", province_inbox.LOCKS]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, %s))", key)
    try:
        assert (pull(system).answers, path.exists()) == (0, True)
    finally:
        other.close()
    until(lambda: pull(system).answers == 1)
    assert not path.exists()


def test_a_link_in_the_inbox_leads_nowhere(book: SmallBook, place: Path, tmp_path: Path) -> None:
    book.lend("A", FIRST)
    system = dropped(at=AT)
    elsewhere = tmp_path / "elsewhere.csv"
    elsewhere.write_text(HEADER + CUT, encoding="utf-8")
    place.joinpath("in").mkdir(parents=True)
    place.joinpath("in", "review-results.csv").symlink_to(elsewhere)
    assert (pull(system).answers, ReviewResult.objects.exists()) == (0, False)


def test_two_systems_are_each_told(book: SmallBook, place: Path) -> None:
    dropped(at=AT)
    connected("http://127.0.0.1:9", at=AT)
    book.lend("A", FIRST)
    relay.relay(clock=lambda: AT)
    assert dropped_names(place) == ["note.drawn.csv"]
    states = dict(OutboxDelivery.objects.values_list("receiver_kind", "state").distinct())
    assert OutboxDelivery.objects.filter(state="delivered").count() == 1
    assert OutboxDelivery.objects.filter(state="waiting").count() == 1
    assert set(states) == {"province"}
    assert province_systems.KIND == "province"
