"""A province's subsidy system over real HTTP: told what happens in order and once, asked for what it decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.kernel.models import Institution, OutboxDelivery, OutboxEvent
from config.kernel.services import outbox, relay, sealed, store
from loans.models import ImportBatch, Participation, ReviewResult
from settlement.models import ProvinceAnswer, ProvinceCursor, ProvinceSystem
from settlement.services import province_pulls, province_systems
from settlement.services.province_systems import Connection
from tests.integration.book import AT, run
from tests.integration.province_double import TOKEN, Province, province
from tests.integration.province_rows import connected
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, TREE, SmallBook

pytestmark = pytest.mark.django_db(transaction=True)

BANKS, REVIEWS = "/api/bank/list", "/api/review/results"
LATER = AT + timedelta(days=1)
REVIEW = {
    "policyCode": "test", "bankCode": NORTH, "noteNo": "A", "month": "2026-02", "result": "3",
    "cutAmount": "100.00", "reason": "重复申报", "docNo": "苏财金〔2026〕1号",
}  # fmt: skip


class Clock:
    """A moment, moved by hand."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jiangsu() -> Iterator[Province]:
    with province() as made:
        yield made
    assert made.wrong == []


@pytest.fixture
def book(tmp_path: Path, settings: Any) -> SmallBook:
    settings.REPORTS_DIR = tmp_path / "store"
    settings.PROVINCE_DIR = tmp_path / "province"
    made = SmallBook(tmp_path)
    made.scheme()
    made.scheme(code="other")
    return made


def note_row(number: str) -> dict[str, str]:
    return {
        "institution_code": NORTH, "note_number": number, "contract_number": "A",
        "drawn_on": "2026-01-05", "matures_on": "2029-01-05", "principal": "100.00",
        "annual_rate": "3.00", "exchange_rate": "1", "scheme_codes": "test",
    }  # fmt: skip


def lent(book: SmallBook) -> None:
    """A note, interest collected of it, and the subsidy of it."""
    book.lend("A", FIRST)
    book.collect("A", 2)
    run()


def test_notes_collections_and_subsidies_are_told_in_the_systems_words_once_and_in_order(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    connected(jiangsu.origin, at=AT)
    lent(book)
    first, second, third = OutboxEvent.objects.exclude(topic="run.posted").order_by("pk")
    assert relay.relay(clock=clock).delivered == 3
    assert relay.relay(clock=clock) == relay.Relayed()
    assert jiangsu.told == [
        ("/api/loan/notes", f"{first.pk}-1-1", [{
            "bankCode": NORTH, "policyCode": "test", "noteNo": "A", "contractNo": "A",
            "creditCode": FIRST, "enterpriseName": "甲公司", "loanDate": "2026-01-05",
            "dueDate": "2029-01-05", "loanAmount": "3600000.00", "equipmentAmount": "0.00",
            "rate": "3.0000", "opType": "A",
        }]),
        ("/api/loan/interests", f"{second.pk}-1-1", [{
            "bankCode": NORTH, "policyCode": "test", "noteNo": "A", "serialNo": "A-2",
            "startDate": "2026-02-01", "endDate": "2026-02-11", "collectDate": "2026-02-11",
            "interestDue": "3000.00", "interestPaid": "3000.00",
        }]),
        ("/api/loan/subsidies", f"{third.pk}-1-1", [{
            "bankCode": NORTH, "policyCode": "test", "noteNo": "A", "serialNo": "A-2", "seq": 0,
            "payWay": "1", "payDate": "2026-02-11", "voucherNo": "", "centralAmount": "0.00",
            "provinceAmount": "0.00", "cityAmount": "1000.00", "totalAmount": "1000.00",
        }]),
    ]  # fmt: skip


def test_nothing_is_written_where_no_system_listens(book: SmallBook) -> None:
    lent(book)
    assert not OutboxEvent.objects.exclude(topic="run.posted").exists()


def test_a_plan_of_interest_and_a_note_without_a_label_are_not_told(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    connected(jiangsu.origin, at=AT)
    book.lend("A", FIRST, schemes="")
    book.lend("B", SECOND)
    book.collect("B", 2, paid="")
    relay.relay(clock=clock)
    assert [(path, len(rows)) for path, _, rows in jiangsu.told] == [("/api/loan/notes", 1)]


def test_a_system_is_told_of_its_schemes_alone(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    connected(jiangsu.origin, at=AT, schemes=["other"])
    book.lend("A", FIRST)
    book.lend("B", SECOND, schemes="test;other")
    relay.relay(clock=clock)
    told = [(row["noteNo"], row["policyCode"]) for _, _, rows in jiangsu.told for row in rows]
    assert told == [("B", "other")]


def test_a_bound_system_never_hears_of_another_bank(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    bank = Institution.objects.get(code=TREE[0][0])
    system = connected(jiangsu.origin, at=AT, bound_to=bank)
    book.lend("A", FIRST)
    book.lend("S", SECOND, at=SOUTH)
    relay.relay(clock=clock)
    assert [row["bankCode"] for _, _, rows in jiangsu.told for row in rows] == [NORTH]
    assert OutboxEvent.objects.filter(topic="note.drawn").count() == 1
    book.collect("S", 2, at=SOUTH)
    run()
    jiangsu.has(REVIEWS, "", [{**REVIEW, "noteNo": "S", "bankCode": SOUTH}], "1")
    pulled = province_pulls.pull(system_id=system.pk, clock=clock)
    assert (len(pulled.problems), ReviewResult.objects.count(), jiangsu.asked) == (
        1, 0, [(REVIEWS, "")],
    )  # fmt: skip


def test_what_happened_before_the_connection_is_not_told(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    connected(jiangsu.origin, at=AT + timedelta(seconds=1))
    lent(book)
    relay.relay(clock=clock)
    assert jiangsu.posts == 0


def test_a_failing_system_gets_everything_later_in_the_same_order(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    connected(jiangsu.origin, at=AT)
    lent(book)
    jiangsu.statuses = [503, 500]
    for _ in range(3):
        relay.relay(clock=clock)
        clock.now += timedelta(minutes=1)
    assert [path for path, _, _ in jiangsu.told] == [
        "/api/loan/notes", "/api/loan/interests", "/api/loan/subsidies",
    ]  # fmt: skip
    assert jiangsu.posts == 5


def test_an_answer_that_does_not_say_ok_is_a_failure_kept_with_the_delivery(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    connected(jiangsu.origin, at=AT)
    book.lend("A", FIRST)
    jiangsu.take = lambda *_: (200, '{"code":"17","msg":"银行未签约"}'.encode())  # type: ignore[method-assign]
    relay.relay(clock=clock)
    delivery = OutboxDelivery.objects.get()
    assert (delivery.state, delivery.status) == ("waiting", 200)
    assert delivery.last_error == '对方未受理 / not accepted: {"code":"17","msg":"银行未签约"}'


def test_a_dead_letter_is_sent_again_by_hand_under_the_same_number(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    connected(jiangsu.origin, at=AT)
    book.lend("A", FIRST)
    outbox.fan_out(at=AT)
    OutboxDelivery.objects.update(attempts=relay.ATTEMPTS_MAX)
    relay.relay(clock=clock)
    dead = OutboxDelivery.objects.get()
    assert (dead.state, jiangsu.told) == ("dead", [])
    outbox.resend(delivery_id=dead.pk, why="对方已恢复", actor="root", at=clock.now)
    relay.relay(clock=clock)
    assert [number for _, number, _ in jiangsu.told] == [f"{dead.event_id}-1-1"]


def test_many_rows_go_in_parts_and_a_repeated_event_changes_nothing(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    connected(jiangsu.origin, at=AT)
    book.contract("A", FIRST)
    book.enter("notes", *(note_row(f"A{n:03d}") for n in range(501)))
    assert OutboxEvent.objects.filter(topic="note.drawn").count() == 2
    jiangsu.statuses = [200, 500]
    relay.relay(clock=clock)
    clock.now += timedelta(minutes=1)
    relay.relay(clock=clock)
    assert [len(rows) for _, _, rows in jiangsu.told] == [200, 200, 100, 1]
    assert [row["noteNo"] for _, _, rows in jiangsu.told for row in rows] == [
        f"A{n:03d}" for n in range(501)
    ]


def test_a_closed_system_is_told_and_asked_nothing_more(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    system = connected(jiangsu.origin, at=AT)
    book.lend("A", FIRST)
    outbox.fan_out(at=AT)
    assert province_systems.close(system_id=system.pk, why="停用", actor="root", at=AT) == 1
    book.collect("A", 2)
    relay.relay(clock=clock)
    province_pulls.pull(system_id=system.pk, clock=clock)
    assert (jiangsu.posts, OutboxEvent.objects.count()) == (0, 1)


def test_reviews_are_taken_in_as_a_file_would_be_with_their_evidence(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    lent(book)
    system = connected(jiangsu.origin, at=LATER)
    jiangsu.has(REVIEWS, "", [REVIEW], "7")
    jiangsu.has(
        REVIEWS, "7", [{**REVIEW, "month": "2026-03", "result": "1", "cutAmount": None}], "8"
    )
    pulled = province_pulls.pull(system_id=system.pk, clock=clock)
    assert (pulled.answers, pulled.rows, pulled.inserted, pulled.problems) == (2, 2, 2, [])
    stored = ReviewResult.objects.order_by("month").values_list(
        "note__note_number", "scheme_code", "result", "amount_fen", "reason", "document_number"
    )
    assert list(stored) == [
        ("A", "test", "disallowed", 10_000, "重复申报", "苏财金〔2026〕1号"),
        ("A", "test", "approved", None, "重复申报", "苏财金〔2026〕1号"),
    ]
    batch = ImportBatch.objects.filter(kind="review-results").latest("pk")
    assert (batch.actor, batch.file_name) == ("province:jiangsu", f"jiangsu {REVIEWS}")
    answer = ProvinceAnswer.objects.get(cursor="")
    assert store.place(answer.sha256).read_bytes() == jiangsu.pages[REVIEWS, ""]
    assert ProvinceCursor.objects.get(kind="review-results").cursor == "8"
    again = province_pulls.pull(system_id=system.pk, clock=clock)
    assert (again.answers, jiangsu.asked[-1]) == (0, (REVIEWS, "8"))


def test_the_same_answer_under_another_cursor_changes_nothing(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    lent(book)
    system = connected(jiangsu.origin, at=LATER)
    jiangsu.has(REVIEWS, "", [REVIEW], "7")
    jiangsu.has(REVIEWS, "7", [REVIEW], "9")
    pulled = province_pulls.pull(system_id=system.pk, clock=clock)
    assert (pulled.answers, pulled.inserted, ReviewResult.objects.count()) == (2, 1, 1)


def test_the_bank_list_is_taken_in_less_the_banks_that_are_not_ours(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    system = connected(jiangsu.origin, at=AT)
    ours = {"policyCode": "test", "bankCode": NORTH, "startDate": "2026-05-01", "endDate": ""}
    jiangsu.has(BANKS, "", [ours, {**ours, "bankCode": "C0099990000000"}], "1")
    province_pulls.pull(system_id=system.pk, clock=clock)
    assert Participation.objects.filter(institution__code=NORTH).values_list(
        "scheme_code", "valid_from", "valid_to"
    ).get() == ("test", date(2026, 5, 1), None)
    answer = ProvinceAnswer.objects.get()
    assert (answer.rows, answer.others, answer.inserted) == (2, 1, 1)


def test_a_system_without_a_cursor_is_taken_in_when_something_is_new(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    lent(book)
    system = connected(jiangsu.origin, at=LATER)
    for month, answers in (("2026-02", 1), ("2026-02", 1), ("2026-03", 2), ("2026-02", 3)):
        jiangsu.has(REVIEWS, "", [{**REVIEW, "month": month}], "")
        province_pulls.pull(system_id=system.pk, clock=clock)
        assert ProvinceAnswer.objects.count() == answers
    assert ReviewResult.objects.count() == 2


def test_what_was_not_ours_is_taken_in_once_it_is(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    """The same answer, of a system that has no cursor, after its bank was registered."""
    system = connected(jiangsu.origin, at=AT)
    theirs = {"policyCode": "test", "bankCode": "C0021320100000", "startDate": "2026-05-01"}
    jiangsu.has(BANKS, "", [theirs], "")
    assert province_pulls.pull(system_id=system.pk, clock=clock).inserted == 0
    book.enter(
        "institutions",
        {"institution_code": "C0021320100000", "name": "丙银行", "level": "headquarters",
         "parent_code": "", "region_code": "320100"},
    )  # fmt: skip
    assert province_pulls.pull(system_id=system.pk, clock=clock).inserted == 1
    assert ProvinceAnswer.objects.count() == 2


def test_an_answer_that_holds_our_secret_is_not_kept(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    lent(book)
    system = connected(jiangsu.origin, at=LATER)
    jiangsu.has(REVIEWS, "", [{**REVIEW, "reason": f"for {TOKEN}"}], "7")
    pulled = province_pulls.pull(system_id=system.pk, clock=clock)
    assert [one.split(":")[0] for one in pulled.problems] == ["review-results"]
    assert "回传中含有本行密钥" in pulled.problems[0]
    assert not ProvinceAnswer.objects.exists()
    assert not ReviewResult.objects.exists()


def test_an_error_of_ours_is_told_in_its_log_and_stops_no_other_system(
    book: SmallBook, jiangsu: Province, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    lent(book)
    broken = connected(jiangsu.origin, at=LATER, code="anhui")
    ProvinceSystem.objects.filter(pk=broken.pk).update(secret="sealed with a key that is lost")
    connected(jiangsu.origin, at=LATER)
    jiangsu.has(REVIEWS, "", [REVIEW], "7")
    found = province_pulls.pull_all(clock=clock)
    ours = "本行系统内部错误，详见日志 / an error of this system, see its log"
    assert found["anhui"].problems == [f"participations: {ours}", f"review-results: {ours}"]
    assert found["jiangsu"].inserted == 1
    assert "province anhui review-results" in caplog.text


BAD = {
    "an unknown code": ([{**REVIEW, "result": "4"}], "未知的代码"),
    "an unknown note": ([{**REVIEW, "noteNo": "Z"}], "Z"),
    "a date of another shape": ([{**REVIEW, "month": "202602"}], "日期须写作"),
    "an amount that is none": ([{**REVIEW, "cutAmount": "1e3"}], "1e3"),
    "a missing field": ([{k: v for k, v in REVIEW.items() if k != "docNo"}], "必填"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_refuses_the_whole_answer_and_is_told_once(
    book: SmallBook, jiangsu: Province, clock: Clock, name: str
) -> None:
    rows, why = BAD[name]
    lent(book)
    system = connected(jiangsu.origin, at=LATER)
    jiangsu.has(REVIEWS, "", [{**REVIEW, "docNo": "苏财金〔2026〕2号"}, *rows], "7")
    for _ in range(2):
        pulled = province_pulls.pull(system_id=system.pk, clock=clock)
        assert (pulled.answers, len(pulled.problems)) == (0, 1)
    assert not ReviewResult.objects.exists()
    answer = ProvinceAnswer.objects.get()
    assert (answer.outcome, answer.rows, answer.problem_count) == ("refused", 2, 1)
    assert answer.problems[0][0] == 2
    assert why in " ".join(map(str, answer.problems[0]))
    cursor = ProvinceCursor.objects.get(kind="review-results")
    assert (cursor.cursor, why in cursor.problem) == ("", True)
    with pytest.raises(CommandError, match="1 problems"):
        call_command("pull_province", "jiangsu", verbosity=0)


@pytest.mark.parametrize(
    "content",
    [
        b"<html>", b"[]", b'{"code":"0"}', b'{"code":"0","data":[1],"cursor":"7"}', b"\xff\xfe",
        b'{"code":"0","code":"0","data":[],"cursor":"7"}', b'{"code":"5","data":[],"cursor":"7"}',
        b'{"code":"0","data":[{"noteNo":["A"]}],"cursor":"7"}', b'{"code":"0","data":[NaN]}',
        b'{"code":"0","data":' + b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_answer_is_kept_and_refused(
    book: SmallBook, jiangsu: Province, clock: Clock, content: bytes
) -> None:
    system = connected(jiangsu.origin, at=AT)
    jiangsu.pages[REVIEWS, ""] = content
    pulled = province_pulls.pull(system_id=system.pk, clock=clock)
    assert len(pulled.problems) == 1
    answer = ProvinceAnswer.objects.get()
    assert (answer.outcome, store.place(answer.sha256).read_bytes()) == ("refused", content)
    assert ProvinceCursor.objects.get(kind="review-results").cursor == ""


def test_a_system_that_is_away_leaves_the_cursor_and_its_problem(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    system = connected(jiangsu.origin, at=AT)
    jiangsu.statuses = [503, 503]
    pulled = province_pulls.pull(system_id=system.pk, clock=clock)
    assert pulled.problems == [
        'participations: HTTP 503: {"code":"9"}', 'review-results: HTTP 503: {"code":"9"}',
    ]  # fmt: skip
    assert set(ProvinceCursor.objects.values_list("cursor", "problem")) == {
        ("", 'HTTP 503: {"code":"9"}')
    }
    province_pulls.pull(system_id=system.pk, clock=clock)
    assert set(ProvinceCursor.objects.values_list("problem", flat=True)) == {""}


def killed(**_: Any) -> None:
    raise KeyboardInterrupt


def test_a_pull_that_dies_half_way_is_asked_again(
    book: SmallBook, jiangsu: Province, clock: Clock, monkeypatch: Any
) -> None:
    lent(book)
    system = connected(jiangsu.origin, at=LATER)
    jiangsu.has(REVIEWS, "", [REVIEW], "7")
    with monkeypatch.context() as broken:
        broken.setattr(ProvinceAnswer.objects, "create", killed)
        with pytest.raises(KeyboardInterrupt):
            province_pulls.pull(system_id=system.pk, clock=clock)
    assert (ReviewResult.objects.count(), ProvinceCursor.objects.filter(cursor="7").count()) == (
        0,
        0,
    )
    assert province_pulls.pull(system_id=system.pk, clock=clock).inserted == 1


def test_the_secret_is_sealed_and_the_wrong_one_is_told(
    book: SmallBook, jiangsu: Province, clock: Clock
) -> None:
    system = connected(jiangsu.origin, at=AT)
    assert TOKEN not in system.secret
    assert sealed.unseal(system.secret) == TOKEN
    other = Connection(jiangsu.origin, "another-secret-of-ours", [])
    province_systems.change(system_id=system.pk, to=other, actor="root", at=AT)
    book.lend("A", FIRST)
    relay.relay(clock=clock)
    assert OutboxDelivery.objects.get().status == 401
    assert jiangsu.wrong == ["/api/loan/notes: who is it?"]
    jiangsu.wrong.clear()
