"""The home page's work, deadlines and first steps: whose they are, and where they lead."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import html
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.kernel.models import Institution, Role, Run
from loans import models as loans
from reports.models import Obligation, Report
from settlement import models as settlement
from tests.integration import rows
from tests.integration.home_page import HOME, addresses, listed, plain
from tests.integration.rows import BANK, NANJING, OTHER, SUZHOU
from tests.integration.signed_in import client_of
from tests.integration.test_admin import complete_book, person, web  # noqa: F401

Web = Callable[[Any], Client]

pytestmark = pytest.mark.django_db

TODAY = date(2026, 6, 15)


@pytest.fixture
def tree() -> dict[str, Institution]:
    return rows.institutions()


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.admin.home.timezone", SimpleNamespace(localdate=lambda: TODAY))


def work(client: Client) -> list[dict[str, int]]:
    """What waits, by section: title → count; each leads to so many rows."""
    found = []
    for section in client.get(HOME).context["work"]:
        shown = {title: int(count) for title, count in plain(section)}
        for (title, count), (address, other) in zip(shown.items(), addresses(section), strict=True):
            assert address == other
            assert len(listed(client, address)) == count, title
        found.append(shown)
    return found


def amiss(tree: dict[str, Institution]) -> None:
    """What goes wrong: a job, a pay-out, a difference nobody explained, a plan past its day."""
    settlement.PayoutAttempt.objects.filter(institution=tree[NANJING]).update(state="failed")
    settlement.ReconciliationDifference.objects.create(
        institution=tree[NANJING], scheme=rows.scheme_version().scheme, tier="central",
        reason="not_in_ledger", moved_on=date(2026, 3, 22), key="S2", amount_fen=1, found_at=rows.AT,
    )  # fmt: skip
    settlement.Plan.objects.create(
        institution=tree[NANJING], collected_on=date(2026, 3, 21), planned_fen=1, state="checked",
        made_by="maker", made_at=rows.AT, sent_by="maker", sent_at=rows.AT, checked_by="checker",
        checked_at=rows.AT,
    )  # fmt: skip
    row = settlement.PlannedDeduction.objects.get(institution=tree[NANJING])
    row.pk, row.plan, row.state = None, settlement.Plan.objects.get(state="checked"), "held"
    row.save(force_insert=True)
    now = timezone.localtime()
    for days in (1, 29, 31):
        Run.objects.create(
            kind="export", state="failed", actor="maker", created_at=now - timedelta(days=days),
            params={"register": "deductions", "format": "csv", "filters": {}},
            scope_lo=tree[NANJING].id, scope_hi=tree[NANJING].last_id,
        )  # fmt: skip


CHECKS = {
    "撤销导入": 1,
    "信用代码确认": 1,
    "代付计划": 1,
    "结算清算提交": 1,
    "核查结论": 1,
    "报表": 1,
}
AMISS = {
    "失败的任务（近 30 天）": 2, "待处理的核查发现": 1, "未说明的对账差异": 1,
    "资金不足、暂缓的代付": 1, "结息日已过、扣收结果未齐的计划": 1, "应享未享的借据": 1, "拨付失败": 1, "逾期未拨付": 1, "已逾期的报送事项": 1,
}  # fmt: skip


BANKS_OWN = {  # finance is not told
    "失败的任务（近 30 天）", "资金不足、暂缓的代付", "结息日已过、扣收结果未齐的计划", "应享未享的借据",
}  # fmt: skip


@pytest.fixture
def whole(tree: dict[str, Institution]) -> dict[str, Institution]:
    """A whole book of the Nanjing branch with things amiss; another bank's book."""
    complete_book(tree)
    settlement.Plan.objects.update(sent_by="maker", sent_at=rows.AT)
    amiss(tree)
    return tree


def test_who_checks_sees_what_others_made(whole: dict[str, Institution], web: Web) -> None:
    checks, wrong = work(web(person(Role.CHECKER, whole[BANK], "wang")))
    assert checks == CHECKS
    assert wrong == AMISS


def test_nobody_checks_their_own(whole: dict[str, Institution], web: Web) -> None:
    maker = person(Role.CHECKER, whole[BANK], "maker")
    checks, wrong = work(web(maker))
    assert checks == {}
    assert wrong == AMISS
    page = web(maker).get(HOME).content.decode()
    assert "没有等待您复核的事项" in page


def test_who_does_not_check_sees_what_is_amiss_alone(
    whole: dict[str, Institution], web: Web
) -> None:
    for role in (Role.MAKER, Role.MANAGER):
        assert work(web(person(role, whole[BANK]))) == [{}, AMISS], role
    assert work(web(person(Role.AUDITOR, whole[BANK]))) == [AMISS]
    told = {title: n for title, n in AMISS.items() if title not in BANKS_OWN}
    assert work(web(person(Role.FINANCE_VIEWER, whole[BANK]))) == [told]


def lately(days: int = 1) -> Any:
    return timezone.localtime() - timedelta(days=days)


def entered(institution: Institution, number: str, actor: str, **more: Any) -> Any:
    batch = loans.ImportBatch.objects.create(
        institution=institution, kind="pre-allocations", rows=1, inserted=1, corrected=0,
        unchanged=0, actor=actor, at=rows.AT,
    )  # fmt: skip
    of = {"scheme_code": "central-sme-2026", "tier": "central", "received_on": date(2026, 2, 10)}
    return loans.PreAllocation.objects.create(
        institution=institution, amount_fen=1, document_number=number, batch=batch, **of | more
    )


def refused(pre_allocation: Any, days: int = 1) -> None:
    settlement.ReceiptRefusal.objects.create(
        institution=pre_allocation.institution, pre_allocation=pre_allocation, why="文号有误",
        made_by="li", made_at=rows.AT, checked_by="wang", checked_at=lately(days),
    )  # fmt: skip


def test_a_maker_sees_what_is_theirs_to_go_on_with(tree: dict[str, Institution], web: Web) -> None:
    place, today = tree[NANJING], timezone.localdate()
    refused(entered(place, "文1", "li", tier="provincial"))  # entered anew below
    entered(place, "文2", "li", tier="provincial")
    refused(entered(place, "文3", "li"))
    refused(entered(place, "文4", "zhao", tier="municipal"))
    refused(entered(place, "文5", "li", purpose="guarantee_fee"), days=31)
    of = {"institution": tree[BANK], "planned_fen": 1, "made_by": "li", "made_at": rows.AT}
    sent = {"sent_at": rows.AT, "sent_by": "li"}
    dropped = {"state": "dropped", **sent, "why": "例外未核"}
    for days, more in (
        (3, {**dropped, "ended_by": "wang"}), (4, {**dropped, "ended_by": "li"}),
        (5, {**dropped, "ended_by": "wang"}), (5, sent), (6, {}),
        (-31, {**dropped, "ended_by": "wang"}),
        (0, {"state": "checked", **sent, "checked_by": "wang", "checked_at": rows.AT}),
        (9, {"state": "checked", **sent, "checked_by": "wang", "checked_at": rows.AT}),
    ):  # fmt: skip
        settlement.Plan.objects.create(**of, collected_on=today + timedelta(days=days), **more)
    settlement.Settlement.objects.create(
        institution=tree[BANK], scheme=rows.scheme_version().scheme, kind="annual", year=2025,
        part=1, state="submitted", made_by="li", made_at=rows.AT, checked_by="wang",
        checked_at=rows.AT,
    )  # fmt: skip
    rows.report_rows.filed(place.pk, rows.AT)
    Report.objects.update(
        state="returned", answered_by="wang", answered_at=rows.AT, returned_why="期间有误"
    )

    makes, _amiss = work(web(person(Role.MAKER, tree[BANK], "li")))

    assert makes == {
        "被退回、待重新生成的报表": 1, "被退回、待重新登记的预拨资金": 1, "被退回、待重新编制的计划": 1,
        "待送复核的计划": 1, "已放行、待下载指令和回传结果的计划": 2, "已提交财政、待录入批复的结算清算": 1,
    }  # fmt: skip
    others, _amiss = work(web(person(Role.MANAGER, tree[BANK], "chen")))
    own = {"被退回、待重新登记的预拨资金", "被退回、待重新编制的计划"}
    assert others == {title: n for title, n in makes.items() if title not in own}
    branch, _amiss = work(web(person(Role.MAKER, tree[NANJING], "zhao")))
    assert branch == {"被退回、待重新生成的报表": 1, "被退回、待重新登记的预拨资金": 1}
    for role in (Role.CHECKER, Role.AUDITOR):
        sections = web(person(role, tree[BANK])).get(HOME).context["work"]
        assert "待我办理" not in [str(section.title) for section in sections]


def test_another_institutions_work_is_not_counted(whole: dict[str, Institution], web: Web) -> None:
    checks, wrong = work(web(person(Role.CHECKER, whole[SUZHOU], "wang")))
    assert checks == {}  # the registry is shared, and head offices' to check
    assert wrong == {}


def test_an_administrator_of_all_sees_both_banks(whole: dict[str, Institution], web: Web) -> None:
    checks, wrong = work(web(person(Role.ADMINISTRATOR, name="root")))
    assert checks == {"信用代码确认": 1}  # money is not theirs to check
    both = {"待处理的核查发现", "已逾期的报送事项", "应享未享的借据"}
    assert wrong == {title: 2 if title in both else n for title, n in AMISS.items()}


def test_a_kind_of_work_that_is_not_this_persons_filters_nothing(
    whole: dict[str, Institution], web: Web
) -> None:
    client = web(person(Role.MAKER, whole[BANK]))
    address = reverse("admin:settlement_plan_changelist")
    assert len(listed(client, address)) == 2
    for key in ("plans", "nonsense", "%00"):
        assert len(client.get(f"{address}?waiting={key}", follow=True).context["cl"].queryset) == 2


def test_waiting_receipts_batches_and_decisions(tree: dict[str, Institution], web: Web) -> None:
    rows.whole_book(tree[NANJING])
    of = {"institution": tree[NANJING], "made_at": rows.AT}
    brought = loans.ImportBatch.objects.create(
        institution=tree[NANJING], kind="pre-allocations", rows=1, inserted=1, corrected=0,
        unchanged=0, actor="wang", at=rows.AT,
    )  # fmt: skip
    for batch in (None, brought):
        loans.PreAllocation.objects.create(
            institution=tree[NANJING], scheme_code="central-sme-2026", tier="central", amount_fen=1,
            received_on=date(2026, 2, 10), document_number=f"文{batch}", batch=batch,
        )  # fmt: skip
    for maker in ("maker", "wang"):
        settlement.PayoutBatch.objects.create(
            **of, made_by=maker, day=date(2026, 3, 21), count=1, amount_fen=1
        )
    settlement.Settlement.objects.update(
        state="decided", checked_by="li", decided_by="zhao", decided_on=date(2026, 5, 1),
        document_number="批1",
    )  # fmt: skip
    seen = {name: work(web(person(Role.CHECKER, tree[BANK], name)))[0] for name in ("wang", "zhao")}
    both = {"撤销导入": 1, "核查结论": 1, "报表": 1}
    assert seen["wang"] == {**both, "预拨资金入账": 1, "拨付批次": 1, "结算批复入账": 1}
    assert seen["zhao"] == {**both, "预拨资金入账": 2, "拨付批次": 2}


def test_the_next_deadlines_nearest_first(tree: dict[str, Institution], web: Web) -> None:
    rows.report_rows.filed(tree[NANJING].pk, rows.AT)
    rows.report_rows.filed(tree[OTHER].pk, rows.AT)
    january = Obligation.objects.get(institution=tree[NANJING])
    for period, due, last in (
        ("2026-06", date(2026, 7, 5), date(2026, 7, 3)), ("2026-05", TODAY, date(2026, 6, 12)),
    ):  # fmt: skip
        Obligation.objects.create(
            institution=tree[NANJING], scheme_code="central-sme-2026", code="new-loans",
            period=period, due_on=due, last_working_day=last, draft_from=last,
            addressee=january.addressee, article=january.article,
        )  # fmt: skip
    client = web(person(Role.MAKER, tree[BANK]))
    (section,) = client.get(HOME).context["deadlines"]
    name = "甲银行南京分行"
    assert plain(section) == [
        ["2026-06-15", "06-12", "-3", "新发放贷款月报 2026-05", "central-sme-2026", name, "待生成"],
        ["2026-07-05", "07-03", "18", "新发放贷款月报 2026-06", "central-sme-2026", name, "待生成"],
    ]
    for line in addresses(section):
        assert client.get(line[0]).status_code == 200
    assert plain(web(person(Role.MAKER, tree[SUZHOU])).get(HOME).context["deadlines"][0]) == []


def test_a_fresh_installation_says_what_to_do_next(web: Web) -> None:
    client = web(person(Role.ADMINISTRATOR))
    response = client.get(HOME)
    steps = response.context["setup"]
    assert [step.is_done for step in steps] == [False] * 5
    assert "还没有贴息入账：请依次完成以下各步" in response.content.decode()
    for step in steps:
        assert client.get(step.address).status_code == 200
    assert response.context["charts"] == []


def steps_of(client: Client) -> dict[str, tuple[str, str]]:
    """Where each first step leads, and who takes it if not the reader."""
    found = {str(s.title): (s.address, str(s.whose)) for s in client.get(HOME).context["setup"]}
    for address, _whose in found.values():
        assert not address or client.get(address).status_code == 200, address
    return found


def test_nobody_is_sent_to_import_what_they_may_not(tree: dict[str, Institution], web: Web) -> None:
    upload, others = reverse("admin:loans_fileimport_import"), "由不限机构的系统管理员导入"
    everywhere = steps_of(web(person(Role.ADMINISTRATOR, name="root")))
    assert everywhere["导入机构"] == (f"{upload}?kind=institutions", "")
    assert everywhere["登记合作银行"] == (f"{upload}?kind=participations", "")
    for role in (Role.MAKER, Role.MANAGER, Role.ADMINISTRATOR):
        found = steps_of(web(person(role, tree[BANK])))
        assert found["导入机构"] == (reverse("admin:kernel_institution_changelist") + "?", others)
        assert found["登记合作银行"] == (
            reverse("admin:loans_participation_changelist") + "?", others,
        )  # fmt: skip
        assert found["导入企业、合同与借据"] == (f"{upload}?kind=enterprises", "")
    finance = steps_of(web(person(Role.FINANCE_VIEWER, tree[BANK])))
    assert finance["导入收息并运行代付"] == ("", "由经办导入")
    page = web(person(Role.MAKER, tree[BANK], "li")).get(f"{upload}?kind=interest-collections")
    assert 'value="interest-collections" selected' in page.content.decode()


def test_the_steps_of_a_bank_are_done_one_by_one(tree: dict[str, Institution], web: Web) -> None:
    rows.whole_book(tree[OTHER], "N9")
    note = rows.note(tree[NANJING])
    viewer = person(Role.AUDITOR, tree[BANK])
    steps = web(viewer).get(HOME).context["setup"]
    assert [step.is_done for step in steps] == [True, False, True, False, False]
    assert steps[3].address == reverse("admin:loans_preallocation_changelist")
    steps = web(person(Role.MAKER, tree[BANK])).get(HOME).context["setup"]
    assert steps[3].address == reverse("admin:loans_preallocation_enter")
    assert web(person(Role.MAKER, tree[OTHER])).get(HOME).context["setup"] == []
    assert note.pk


def test_a_person_without_an_institution_is_told_so(
    whole: dict[str, Institution], web: Web
) -> None:
    page = web(person(Role.MAKER)).get(HOME).content.decode()
    assert "您的账号尚未指定机构" in page
    assert "甲银行" not in page


def queries(client: Client) -> int:
    """How many queries the page takes."""
    with CaptureQueriesContext(connection) as seen:
        assert client.get(HOME).status_code == 200
    return len(seen)


QUERIES = 15  # of an empty book, but for prepared statements; the institution's row is not read for who has none


def test_queries_do_not_grow_with_the_book_nor_differ_by_role(
    tree: dict[str, Institution], as_role: Callable[..., AbstractContextManager[None]]
) -> None:
    people = [person(role, tree[BANK]) for role in Role.values]
    clients = [client_of(one) for one in [*people, person(Role.ADMINISTRATOR)]]
    with as_role("app"):
        empty = [queries(client) for client in clients]
    complete_book(tree)
    rows.whole_book(tree[SUZHOU], "N2")
    amiss(tree)
    with as_role("app"):
        full = [queries(client) for client in clients]
    assert empty == [QUERIES] * 6 + [QUERIES - 1]
    assert full == [one + 1 for one in empty]  # the policies' names, once there are any to show


def links_of(client: Client) -> set[str]:
    """Where the page leads."""
    page = client.get(HOME).content.decode()
    found = re.findall(r'href="([^"#]+)"', page[page.index('id="home"') :])
    return {html.unescape(one) if one[0] == "/" else HOME + html.unescape(one) for one in found}


@pytest.mark.parametrize("role", Role.values)
def test_every_link_of_the_page_leads_somewhere(
    whole: dict[str, Institution], web: Web, role: str
) -> None:
    for place in (None, whole[BANK]) if role == Role.ADMINISTRATOR else (whole[BANK],):
        client = web(person(role, place))
        found = links_of(client)
        assert len(found) > 20
        for address in sorted(found):
            assert client.get(address).status_code == 200, address
