"""Reports in the admin: ordered, checked, filed, corrected and taken away, each in one's own scope."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.kernel.models import Institution, Role, Run
from config.kernel.services import store
from reports.models import Obligation, Report, ReportFile
from reports.services import asking, generation, jobs, obligations, steps
from tests import database
from tests.integration import book, rows
from tests.integration.home_page import addresses, plain
from tests.integration.rows import BANK, NANJING, OTHER, SUZHOU
from tests.integration.small_report import CODE, Small, small
from tests.integration.steps import address, faults, send, taken
from tests.integration.test_admin import person, web  # noqa: F401
from tests.integration.test_report_life import AT

pytestmark = pytest.mark.django_db

PAGE = "reports.report"


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> None:
    settings.REPORTS_DIR = tmp_path / "store"


@pytest.fixture
def report() -> Iterator[Small]:
    with small() as one:
        yield one


@pytest.fixture
def banks() -> dict[str, Institution]:
    made = rows.institutions()
    book.load_shipped()
    rows.note(made[NANJING], "N1", drawn_on=date(2026, 2, 10))
    return made


def make(institution: str = NANJING, actor: str = "maker") -> int:
    asked = asking.read(
        code=CODE, period_code="2026-03", institution_code=institution, scheme_code=None
    )
    with database.as_role("worker"):
        return generation.generate(code=CODE, asked=asked, actor=actor, at=AT).report_id


def work() -> None:
    with database.as_role("worker"):
        jobs.work_open_jobs(owner="test", clock=lambda: AT)


def only(model: Any, **filters: Any) -> Any:
    """The one row there is, whoever would see it."""
    with database.as_role("worker"):
        return model.objects.select_related(None).get(**filters)


def body(answer: Any) -> bytes:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def count(model: Any, **filters: Any) -> int:
    with database.as_role("worker"):
        return int(model.objects.filter(**filters).count())


def told(client: Client, response: Any) -> str:
    page = client.get(response.url)
    assert page.status_code == 200
    return " ".join(str(message) for message in page.context["messages"])


def test_from_the_order_to_the_acceptance(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    maker = web(person(Role.MAKER, banks[NANJING], "maker"))
    response = send(maker, PAGE, "order", code=CODE, institution=NANJING, period="2026-03")
    assert taken(response)
    run = only(Run, kind="report")
    assert response.url == reverse("admin:reports_job_change", args=[run.pk])
    assert "任务已提交" in told(maker, response)
    page = maker.get(response.url)
    assert "0/1" in page.content.decode()
    assert "kernel-watch" in page.content.decode()
    assert [plain(one) for one in page.context["sections"]] == [[], []]
    listed = maker.get(reverse("admin:reports_job_changelist")).content.decode()
    assert "kernel-watch" not in listed  # a list that renewed itself would lose what is ticked
    work()
    page = maker.get(response.url)
    assert "1/1" in page.content.decode()
    assert "kernel-watch" not in page.content.decode()
    assert_leads_to_report(maker, page, only(Report).pk)
    result = maker.get(reverse("admin:reports_job_result", args=[run.pk]))
    assert result.headers["Content-Disposition"].startswith("attachment; filename=")
    made = only(Report)
    assert body(result) == store.place(run_sha(run.pk)).read_bytes()

    assert send(maker, PAGE, "check", made.pk).status_code == 403
    checker = web(person(Role.CHECKER, banks[BANK], "checker"))
    assert taken(send(checker, PAGE, "check", made.pk))
    assert send(checker, PAGE, "submit", made.pk).status_code == 403
    assert taken(send(maker, PAGE, "submit", made.pk))
    assert "不能办理此步骤" in faults(send(maker, PAGE, "submit", made.pk))[""]
    assert taken(send(maker, PAGE, "accept", made.pk, document_number="财审1号"))
    made = only(Report)
    assert (made.state, made.made_by, made.checked_by, made.submitted_by, made.document_number) == (
        "accepted", "maker", "checker", "maker", "财审1号",
    )  # fmt: skip


def assert_leads_to_report(client: Client, page: Any, pk: int) -> None:
    """The page of a job that is done names its report and has all its files."""
    outcome, files = page.context["sections"]
    assert plain(outcome) == [
        [f"#{pk} 新发放贷款月报", "2026-03", "1", "已生成", "下一步：由另一人复核"]
    ]
    assert client.get(addresses(outcome)[0][0]).status_code == 200
    assert [line[0].rpartition(".")[2] for line in plain(files)] == ["csv", "pdf"]
    assert all(body(client.get(line[0])) for line in addresses(files))


def test_an_order_of_what_is_there_leads_to_it(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    made = make()
    maker = web(person(Role.MAKER, banks[NANJING], "maker"))
    response = send(maker, PAGE, "order", code=CODE, institution=NANJING, period="2026-03")
    work()
    outcome, _files = maker.get(response.url).context["sections"]
    assert plain(outcome) == [
        [f"#{made} 新发放贷款月报", "2026-03", "1", "已生成", "内容与现有一版相同，未另生成"]
    ]
    shown = maker.get(reverse("admin:reports_job_changelist")).content.decode()
    assert reverse("admin:reports_report_change", args=[made]) in shown


def run_sha(pk: int) -> str:
    return str(only(Run, pk=pk).result_sha256)


def test_nobody_checks_what_they_made(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    made = make(actor="root")
    root = web(person(Role.CHECKER, banks[BANK], "root"))
    page = root.get(reverse("admin:reports_report_change", args=[made])).content.decode()
    assert address(PAGE, "check", made) not in page
    assert "须由另一人复核" in faults(send(root, PAGE, "check", made))[""]
    assert only(Report).state == "generated"


def test_what_finance_has_is_corrected_in_the_open(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    first = make()
    steps.check(report_id=first, actor="checker", at=AT)
    steps.submit(report_id=first, actor="maker", at=AT)
    report.amounts["JJ1"] = 100_002
    second = make()

    viewer = web(person(Role.AUDITOR, banks[NANJING]))
    page = viewer.get(reverse("admin:reports_report_change", args=[second])).content.decode()

    assert "与原报送的差异" in page
    assert [text in page for text in ("1000.00", "1000.02", "0.02", f"#{first}")] == [True] * 4
    with database.as_role("worker"):
        differing = list(ReportFile.objects.filter(report_id=second, role="difference"))
    assert [file.name in page for file in differing] == [True] * 3


def test_files_are_handed_out_within_the_scope_alone(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    made = make()
    file = only(ReportFile, report_id=made, format="csv")
    where = reverse("admin:reports_report_file", args=[made, file.pk])
    finance = web(person(Role.FINANCE_VIEWER, banks[BANK], "finance"))
    assert finance.get(where).status_code == 404  # a draft is the bank's own
    with database.as_role("worker"):
        steps.check(report_id=made, actor="checker", at=AT)
        steps.submit(report_id=made, actor="maker", at=AT)

    for role in (Role.MAKER, Role.CHECKER, Role.FINANCE_VIEWER, Role.AUDITOR, Role.MANAGER):
        answer = web(person(role, banks[BANK])).get(where)
        assert body(answer) == store.place(file.sha256).read_bytes()
        assert file.name in answer.headers["Content-Disposition"]
    for code in (SUZHOU, OTHER):
        stranger = web(person(Role.AUDITOR, banks[code]))
        assert stranger.get(where).status_code in {302, 404}
        assert stranger.get(reverse("admin:reports_report_changelist")).status_code == 200
        assert (
            file.name
            not in stranger.get(reverse("admin:reports_reportfile_changelist")).content.decode()
        )
    assert Client().get(where).status_code == 302  # to the login
    other = make(SUZHOU)
    assert web(person(Role.ADMINISTRATOR)).get(
        reverse("admin:reports_report_file", args=[other, file.pk])
    ).status_code == 404  # fmt: skip


def test_a_tampered_file_leads_back_with_the_reason(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    made = make()
    file = only(ReportFile, report_id=made, format="csv")
    store.place(file.sha256).chmod(0o640)
    store.place(file.sha256).write_text("x")
    client = web(person(Role.AUDITOR, banks[NANJING]))

    answer = client.get(reverse("admin:reports_report_file", args=[made, file.pk]))

    assert answer.url == reverse("admin:reports_report_change", args=[made])
    assert "已被改动" in told(client, answer)


def test_a_job_of_another_scope_gives_nothing_away(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    auditor = web(person(Role.AUDITOR, banks[BANK]))
    assert taken(send(auditor, "reports.job", "export", register="notes", file_format="csv"))
    work()
    run = only(Run, kind="export")
    where = reverse("admin:reports_job_result", args=[run.pk])
    assert body(auditor.get(where)).startswith(b"institution_code,")
    page = auditor.get(reverse("admin:reports_job_change", args=[run.pk]))
    (files,) = page.context["sections"]
    assert (plain(files), addresses(files)[0][0]) == ([[run.result_name, run.result_sha256]], where)
    branch = web(person(Role.MAKER, banks[NANJING]))
    assert branch.get(where).status_code in {302, 404}
    assert (
        run.result_name not in branch.get(reverse("admin:reports_job_changelist")).content.decode()
    )


def test_orders_outside_the_scope_and_nonsense_are_refused_at_the_field(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    maker = web(person(Role.MAKER, banks[NANJING]))
    ask = {"code": CODE, "institution": NANJING, "period": "2026-03"}
    wrong = faults(send(maker, PAGE, "order", **ask | {"institution": SUZHOU}))
    assert "不在您的范围内" in wrong["institution"]
    assert "无法识别" in faults(send(maker, PAGE, "order", **ask | {"period": "2026年"}))["period"]
    assert list(faults(send(maker, PAGE, "order", **ask | {"code": "x"}))) == ["code"]
    assert send(web(person(Role.AUDITOR, banks[NANJING])), PAGE, "order", **ask).status_code == 403
    assert count(Run, kind="report") == 0


def test_a_maker_returns_what_finance_returned_but_no_draft(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    made = make()
    maker = web(person(Role.MAKER, banks[NANJING], "maker"))
    checker = web(person(Role.CHECKER, banks[NANJING], "checker"))
    assert send(maker, PAGE, "give_back", made, why="自退").status_code == 403
    assert "why" in faults(send(checker, PAGE, "give_back", made, why=""))
    assert only(Report).state == "generated"
    assert taken(send(checker, PAGE, "give_back", made, why="期间有误"))
    assert (only(Report).state, only(Report).returned_why) == (
        "returned", "期间有误",
    )  # fmt: skip


def test_the_calendar_shows_what_is_overdue_first_and_orders_its_report(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    obligations.refresh(today=date(2026, 9, 1))
    maker = web(person(Role.MAKER, banks[BANK], "maker"))

    page = maker.get(reverse("admin:reports_obligation_changelist"))

    shown = list(page.context["cl"].result_list)
    assert [(one.code, one.period) for one in shown[:3]] == [
        ("annual-demand", "2026"), ("new-loans", "2026-02"), ("monthly-execution", "2026-02"),
    ]  # fmt: skip
    one = only(Obligation, code=CODE, period="2026-02")
    assert taken(send(maker, "reports.obligation", "draft", one.pk))
    work()
    made = only(Report)
    assert (made.code, made.period, made.scheme_code, made.made_by) == (
        CODE, "2026-02", "central-sme-2026", "maker",
    )  # fmt: skip
    content = maker.get(reverse("admin:reports_obligation_change", args=[one.pk]))
    assert reverse("admin:reports_report_change", args=[made.pk]) in content.content.decode()
    filtered = maker.get(
        reverse("admin:reports_obligation_changelist")
        + "?standing=submitted&scheme=x&month=2026-03"
    )
    assert filtered.status_code == 200
    branch = web(person(Role.MAKER, banks[NANJING]))
    assert (
        branch.get(reverse("admin:reports_obligation_changelist")).context["cl"].result_count == 0
    )
    assert branch.get(address("reports.obligation", "draft", one.pk)).status_code in {302, 404}
