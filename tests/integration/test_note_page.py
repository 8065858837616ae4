"""A note's page: its life in order of days, why labels were refused, and how a deduction came about."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.kernel.models import Institution, Role, User
from config.kernel.services import scope
from loans.models import Enterprise, Note
from settlement.admin.sources import Notes
from settlement.models import Deduction, Enrolment
from settlement.selectors.counted import enterprise_use, used_before
from settlement.services.explained import Source
from tests.integration import rows
from tests.integration.book import load_shipped, run
from tests.integration.signed_in import client_of
from tests.integration.small_book import FIRST, NORTH, SOUTH, SmallBook, capped
from tests.integration.test_admin import person, url, web  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """An enterprise with a note at either bank, and 1,500 yuan a year for both together."""
    made = SmallBook(tmp_path)
    made.scheme(more=capped("enterprise", 1500))
    made.lend("A", FIRST)
    made.lend("B", FIRST, at=SOUTH)
    made.collect("A", 2)
    made.collect("B", 2, at=SOUTH)
    made.collect("A", 3)
    return made


def whole(read: Any) -> Any:
    """What somebody sees who sees everything."""
    with scope.scoped(User(username="root", role=Role.ADMINISTRATOR)):
        return read()


def staff_of(code: str, web: Any, role: str = Role.AUDITOR) -> Client:
    client: Client = web(person(role, Institution.objects.get(code=code)))
    return client


def note_page(client: Client, number: str, **query: Any) -> Any:
    key = whole(lambda: Note.objects.get(note_number=number).pk)
    return client.get(url("loans.note", "change", key, **query))


def deduction(reference: str, **filters: Any) -> int:
    return int(whole(lambda: Deduction.objects.get(collection__reference=reference, **filters).pk))


def explanation(client: Client, reference: str, **headers: str) -> Any:
    address = url("settlement.deduction", "explanation", deduction(reference))
    return client.get(address, headers=headers)


def life(response: Any) -> list[tuple[str, str, str]]:
    events = response.context["timeline"]["events"]
    return [(str(e["on"]), str(e["kind"]), e["amount"]) for e in events]


def words(value: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", str(value)).split())


def table(response: Any, title: str) -> list[list[str]]:
    section = next(s for s in response.context["sections"] if str(s.title).startswith(title))
    return [["—" if cell is None else words(cell) for cell in row] for row in section.rows]


def test_the_whole_life_stands_in_order_of_days(book: SmallBook, web: Any) -> None:
    of = {"institution_code": NORTH, "note_number": "A"}
    book.enter(
        "equipment-invoices",
        {**of, "invoice_number": "0099", "issued_on": "2026-01-06", "amount": "88.00"},
    )
    book.enter(
        "external-subsidies",
        {
            "source": "市工信局", "reference": "X-1", "uscc": FIRST, "kind": "grant",
            "scheme_name": "设备奖补", **of, "year": "2026", "amount": "12.00",
        },
    )  # fmt: skip
    book.enter(
        "note-statuses",
        {**of, "status": "overdue", "starts_on": "2026-04-01", "ends_on": "2026-04-15"},
    )
    book.enter(
        "review-results",
        {
            "scheme_code": "test", **of, "month": "2026-02", "result": "approved",
            "document_number": "财审1号",
        },
    )  # fmt: skip
    book.repay("A", "2026-03-20", 600_000)
    run()
    shown = note_page(staff_of(NORTH, web), "A")
    assert life(shown) == [
        ("2026-01-01", "外部贴息", "12.00 元"),
        ("2026-01-02", "签订合同", "3,600,000.00 元"),
        ("2026-01-05", "放款", "3,600,000.00 元"),
        ("2026-01-06", "设备发票", "88.00 元"),
        ("2026-02-11", "收息", "3,000.00 元"),
        ("2026-02-11", "代付贴息", "1,000.00 元"),
        ("2026-02-28", "财政审核", ""),
        ("2026-03-11", "收息", "3,000.00 元"),
        ("2026-03-11", "代付贴息", "0.00 元"),
        ("2026-03-20", "还本", "600,000.00 元"),
        ("2026-04-01", "逾期", ""),
        ("2026-04-15", "恢复正常", ""),
        ("2029-01-05", "到期日", ""),
    ]
    assert [(str(name), amount) for name, amount in shown.context["timeline"]["sums"]] == [
        ("放款金额", "3,600,000.00 元"),
        ("已还本金", "600,000.00 元"),
        ("本金余额", "3,000,000.00 元"),
        ("已收利息", "6,000.00 元"),
        ("已贴息 试验", "1,000.00 元"),
    ]
    text = words(shown.content.decode())
    assert "试验，收息 A-3，10 天，核减：企业上限" in text
    assert "B-2" not in text


def test_a_difference_and_its_clawback_are_told_on_the_day_they_came(
    book: SmallBook, web: Any
) -> None:
    run()
    book.note("A", schemes="")
    run()
    told = life(note_page(staff_of(NORTH, web), "A"))
    assert [event[1:] for event in told if event[0] == "2026-11-23"] == [
        ("贴息差额", "-1,000.00 元"),
        ("贴息差额", "0.00 元"),
        ("追回", "1,000.00 元"),
    ]
    assert [event[1] for event in told if event[1] == "标签变更"] == ["标签变更"]


def test_a_long_life_is_paged_by_the_same_number_of_queries(web: Any) -> None:
    note = rows.note(rows.institutions()[rows.NANJING])
    client = client_of(person(Role.ADMINISTRATOR))
    address = url("loans.note", "change", note.pk)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for day in range(60):
        rows.collection(note, date(2026, 3, 1) + timedelta(days=day))
    with CaptureQueriesContext(connection) as many:
        first = client.get(address)
    assert len(many) == len(few)
    assert (len(life(first)), first.context["timeline"]["total"]) == (50, 63)
    last = client.get(f"{address}?timeline=2")
    assert (life(last)[0][0], life(last)[-1][:2]) == ("2026-04-18", ("2029-01-15", "到期日"))
    assert len(life(last)) == 13
    assert life(client.get(f"{address}?timeline=99999999999999999999")) == life(first)
    assert life(client.get(f"{address}?timeline=999")) == life(last)
    for odd in ("-1", "abc", "²", "%00"):
        assert client.get(f"{address}?timeline={odd}").status_code == 200


def test_a_shared_cap_counts_another_banks_note_and_does_not_name_it(
    book: SmallBook, web: Any
) -> None:
    run()
    north = staff_of(NORTH, web)
    shown = explanation(north, "A-3")
    assert table(shown, "④") == [
        ["利息上限", "6,000.00", "1,000.00", "本系统已贴 1,000.00", "5,000.00", "1,000.00", "1,000.00", "〔假定 interest_ceiling D10〕"],
        ["企业上限（核减）", "1,500.00", "1,500.00", "本系统已贴 1,500.00", "0.00", "1,000.00", "0.00", "〔假定 amount_caps.0〕"],
    ]  # fmt: skip
    assert table(shown, "①")[-1] == ["合计", "", "", "", "10", "36,000,000.00", ""]
    assert table(shown, "②") == [
        ["市级", "36,000,000.00 × 1.00% ÷ 360", "1,000.00", "〔假定 rate.tiers.municipal〕"]
    ]
    assert table(shown, "⑤")[-1] == ["合计", "1,000.00", "0.00"]
    text = words(shown.content.decode())
    for hidden in ("B-2", "乙银行", SOUTH):
        assert hidden not in text


def test_the_explanation_comes_as_a_part_or_as_a_page(book: SmallBook, web: Any) -> None:
    run()
    north = staff_of(NORTH, web)
    part = explanation(north, "A-2", **{"HX-Request": "true"}).content.decode()
    page = explanation(north, "A-2").content.decode()
    assert "<html" not in part
    assert "<html" in page
    assert table(explanation(north, "A-2"), "⑦") == [
        ["0", "甲银行", "市级", "在该机构的资金账，不在您的机构范围内", "—"]
    ]


def test_the_ledger_entry_is_linked_for_whoever_keeps_the_fund(book: SmallBook, web: Any) -> None:
    run()
    head = staff_of("C0001110000000", web)
    ((sequence, place, tier, entry, day),) = table(explanation(head, "A-2"), "⑦")
    assert (sequence, place, tier, day) == ("0", "甲银行", "市级", "2026-11-23")
    assert entry == "#1"


def test_facts_told_since_are_said_before_the_figures(book: SmallBook, web: Any) -> None:
    run()
    book.repay("A", "2026-01-10", 600_000)
    shown = explanation(staff_of(NORTH, web), "A-2")
    assert shown.context["warnings"] == [
        "入账后事实有变更，下面按现在的事实计算，下次运行将补记差额"
    ]


def test_a_refusal_says_the_rule_its_article_the_fact_and_what_to_do(
    book: SmallBook, web: Any
) -> None:
    load_shipped()
    book.participation("central-sme-2026")
    book.enterprise(FIRST, ownership="state")
    book.note("A", schemes="central-sme-2026;test")
    run()
    auditor = staff_of(NORTH, web)
    first, second = table(note_page(auditor, "A"), "贴息认定")
    assert first == [
        "中小微企业贷款贴息",
        "不符合",
        "企业不是民营企业 〔财金〔2026〕4号 一(一)〕 要求 民营 实际 国有 怎么办 核对所有制；确非民营的，去掉标签",
        "—",
        "0.00",
    ]
    assert second == ["试验", "符合", "", "2026-01-05 ~ 2029-01-05", "3,600,000.00"]
    judged = whole(lambda: Enrolment.objects.get(scheme_code="central-sme-2026").pk)
    shown = auditor.get(url("settlement.enrolment", "change", judged))
    assert str(shown.context["subtitle"]) == "A 不符合"
    assert table(shown, "不符合的规则") == [
        [
            "企业不是民营企业",
            "民营",
            "国有",
            "核对所有制；确非民营的，去掉标签",
            "〔财金〔2026〕4号 一(一)〕",
        ]
    ]


def test_a_decision_that_assumes_two_values_is_told_with_both() -> None:
    notes = Notes()
    days = Source("rate.day_count", "财金", "", "D1: 按360天计 / 360 days")
    cap = Source("amount_caps.0", "财金", "", "D1: 发布会口径 / official statement")
    assert notes.tag((days, cap)) == "〔假定 D1〕"
    assert [one.rows for one in notes.sections()] == [[("D1", "按360天计"), ("D1", "发布会口径")]]


def test_what_another_bank_knows_is_told_as_a_reason_without_its_note(
    book: SmallBook, web: Any
) -> None:
    load_shipped()
    book.participation("jiangsu-sports-2026")
    book.enter(
        "note-statuses",
        {
            "institution_code": SOUTH, "note_number": "B", "status": "overdue",
            "starts_on": "2026-01-05", "ends_on": "",
        },
    )  # fmt: skip
    book.note("A", schemes="jiangsu-sports-2026")
    run()
    north, south = staff_of(NORTH, web), staff_of(SOUTH, web)
    ((_scheme, verdict, why, _days, _fen),) = table(note_page(north, "A"), "贴息认定")
    assert verdict == "不符合"
    assert why.endswith(
        "放款当日企业在任一银行有逾期贷款 〔苏体经〔2026〕1号 一(一)1〕 要求 放款日 2026-01-05 企业在任何银行无逾期"
        " 实际 在其他机构有逾期，不在您的机构范围内 怎么办 核对逾期起止日；以放款当日为准，事后结清不能补享"
    )
    assert "B" not in why
    assert note_page(south, "A").status_code == 302


def test_another_banks_note_and_deduction_are_not_there(book: SmallBook, web: Any) -> None:
    run()
    north = staff_of(NORTH, web)
    assert note_page(north, "B").status_code == 302
    assert explanation(north, "B-2").status_code == 404
    for odd in ("0", "99999999999999999999", "x", "1'%00"):
        address = f"/admin/settlement/deduction/{odd}/explanation/"
        assert north.get(address).status_code == 404


def test_raw_sql_tells_another_scope_no_total(book: SmallBook, as_role: Any) -> None:
    run()
    other = int(Deduction.objects.get(collection__reference="B-2").collection_id)
    own = int(Deduction.objects.get(collection__reference="A-3").collection_id)
    scheme = Deduction.objects.values_list("scheme_id", flat=True).distinct().get()
    key = Enterprise.objects.get(uscc=FIRST).pk
    stranger = Institution.objects.create(
        id=2**60,
        last_id=2**60,
        code="C9999320100000",
        name="丙",
        level="branch",
        region_code="320100",
    )
    asked = {"scheme_id": scheme, "per": "enterprise", "yearly": True}
    with as_role("app", Institution.objects.get(code=NORTH)):
        assert used_before(collection_id=own, **asked).granted_fen == 150_000
        assert [one.amount_fen for one in enterprise_use(enterprise_id=key)] == [
            150_000,
            720_000_000,
        ]
        with pytest.raises(ProgrammingError, match="outside the scope"), transaction.atomic():
            used_before(collection_id=other, **asked)
    with as_role("app", stranger):
        assert enterprise_use(enterprise_id=key) == []
    with as_role("app"):
        assert enterprise_use(enterprise_id=key) == []


def test_an_enterprises_page_shows_caps_counted_over_all_banks(book: SmallBook, web: Any) -> None:
    run()
    key = Enterprise.objects.get(uscc=FIRST).pk
    shown = staff_of(NORTH, web).get(url("loans.enterprise", "change", key))
    assert table(shown, "上限使用") == [
        ["试验", "企业上限", "2026 年", "1,500.00", "1,500.00", "0.00", "100%", "〔假定 amount_caps.0〕"]
    ]  # fmt: skip
    text = shown.content.decode()
    assert 'role="meter" aria-label="试验 企业上限 2026 年"' in text
    assert 'aria-valuenow="100"' in text
    assert table(shown, "已贴息") == [
        ["试验", "2026", "1,500.00", "1,000.00"],
        ["合计", "", "1,500.00", "1,000.00"],
    ]
    assert table(shown, "借据") == [
        ["A", "甲银行支行", "2026-01-05", "2029-01-05", "试验 符合", "3,600,000.00", "1,000.00"]
    ]
    assert "乙银行" not in text
