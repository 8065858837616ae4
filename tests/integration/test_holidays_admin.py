"""Days off in the admin: a whole file or nothing, by who sees everywhere; what they were stays readable."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from config.kernel.models import Institution, Role
from reports.models import Obligation, WorkingDayException
from reports.tasks import refresh_deadlines
from tests import database
from tests.integration import rows
from tests.integration.home_page import plain
from tests.integration.rows import BANK
from tests.integration.steps import address, faults, send, taken
from tests.integration.test_admin import person, web  # noqa: F401

pytestmark = pytest.mark.django_db

PAGE = "reports.workingdayexception"
HEADER = "日期,类别,名称,文号\n"
NOTICE = "国办发明电〔2027〕1号"
FIXED = {
    "元旦": "2028-01-01", "春节": "2028-01-26", "清明节": "2028-04-04", "劳动节": "2028-05-01",
    "端午节": "2028-05-28", "中秋节": "2028-10-03", "国庆节": "2028-10-01",
}  # fmt: skip


@pytest.fixture
def tree() -> dict[str, Institution]:
    return rows.institutions()


def file(*lines: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("days.csv", (HEADER + "\n".join(lines) + "\n").encode())


def days(year: int) -> list[tuple[str, bool, str]]:
    found = WorkingDayException.objects.filter(day__year=year).order_by("day")
    return [(f"{one.day}", one.is_working, one.name) for one in found]


def test_an_administrator_of_all_brings_a_year_in(
    tree: dict[str, Institution], web: Any, django_capture_on_commit_callbacks: Any
) -> None:
    root = web(person(Role.ADMINISTRATOR, name="root"))
    lines = [f"{day},休,{name},{NOTICE}" for name, day in FIXED.items() if name != "国庆节"]
    with django_capture_on_commit_callbacks() as told:
        response = send(root, PAGE, "import", file=file(*lines, f"2028-01-08,班,元旦调休,{NOTICE}"))
    assert taken(response)
    assert len(told) == 1
    assert days(2028)[:2] == [("2028-01-01", False, "元旦"), ("2028-01-08", True, "元旦调休")]
    assert len(days(2028)) == 7
    (message,) = root.get(response.url).context["messages"]
    assert str(message) == (
        "已导入 7 天：新增 7，更正 0；2028 年尚缺 国庆节，补齐前不计算该年的截止日"
    )
    response = send(root, PAGE, "import", file=file(f"2028-01-08,休,元旦,{NOTICE}"))
    assert taken(response)
    assert days(2028)[1] == ("2028-01-08", False, "元旦")
    history = root.get("/admin/reports/workingdayexceptionevent/").context["cl"].queryset
    assert [(one.day, one.is_working) for one in history] == [(date(2028, 1, 8), True)]


def test_a_file_with_an_error_changes_nothing_and_names_it(
    tree: dict[str, Institution], web: Any
) -> None:
    root = web(person(Role.ADMINISTRATOR, name="root"))
    before = list(WorkingDayException.objects.values())
    wrong = file(f"2028-01-01,休,元旦,{NOTICE}", f"2028-02-30,节,春节,{NOTICE}")
    response = send(root, PAGE, "import", file=wrong)
    assert "2 处错误" in faults(response)["file"]
    (problems,) = response.context["sections"]  # type: ignore[attr-defined]
    assert [line[:3] for line in plain(problems)] == [
        ["3", "日期", "2028-02-30"], ["3", "类别", "节"],
    ]  # fmt: skip
    assert list(WorkingDayException.objects.values()) == before


def test_nobody_of_a_bank_changes_everybodys_days(tree: dict[str, Institution], web: Any) -> None:
    before = list(WorkingDayException.objects.values())
    for role in Role.values:
        client = web(person(role, tree[BANK]))
        assert client.get(address(PAGE, "import")).status_code == 403, role
        sent = send(client, PAGE, "import", file=file(f"2028-01-01,休,元旦,{NOTICE}"))
        assert sent.status_code == 403, role
    assert list(WorkingDayException.objects.values()) == before


def test_deadlines_are_worked_out_again(
    tree: dict[str, Institution], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.tasks.timezone.localdate", lambda: date(2026, 3, 2))
    with database.as_role("worker"):
        rows.scheme_version()
        rows.note(tree[BANK], "N1", drawn_on=date(2026, 2, 10))
        refresh_deadlines()
        found = Obligation.objects.get(code="new-loans", period="2026-02")
    assert found.due_on == date(2026, 3, 5)
