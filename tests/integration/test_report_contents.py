"""What a report says, before anybody answers for it: sums by policy and institution, ties, files, rows."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import re
from typing import Any

import polars as pl
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from config.kernel.models import Institution, Role
from reports.definitions.sheet import Column, Table, whole
from reports.models import Obligation, Report, ReportFile
from reports.services import building, steps
from reports.services.verification import verify_reports
from tests import database
from tests.integration.home_page import plain
from tests.integration.rows import BANK, NANJING
from tests.integration.small_report import CODE, Small
from tests.integration.steps import address, send
from tests.integration.test_admin import person, web  # noqa: F401
from tests.integration.test_report_admin import (  # noqa: F401
    AT,
    PAGE,
    banks,
    make,
    only,
    place,
    report,
)

pytestmark = pytest.mark.django_db

STEM = f"{CODE}_{NANJING}_2026-03"
SME = "central-sme-2026"
CHINESE = re.compile("[\u4e00-\u9fff]")
BY_SCHEME = Table(
    "by_scheme", "分政策",
    (
        Column("scheme_code", "政策代码", "text", on_paper=False),
        Column("scheme_zh", "贴息政策", "text"), Column("institution_name", "机构", "text"),
        Column("notes", "笔数", "int", total=True), Column("drawn_fen", "放款金额", "yuan", total=True),
        Column("rate_ppm", "利率", "rate"),
    ),
    whole(
        pl.DataFrame(
            {
                "scheme_code": [SME, "x"], "scheme_zh": ["中小微", "其他"],
                "institution_name": ["甲银行", "甲银行南京分行"], "notes": [1, 1_234],
                "drawn_fen": [350_050, -123_456_789], "rate_ppm": [30_000, 0],
            }
        )
    ),
)  # fmt: skip


def shown(client: Client, step: str, pk: int) -> dict[str, list[list[str]]]:
    """The tables above the form of a step: title → rows as people read them."""
    response = client.get(address(PAGE, step, pk))
    assert response.status_code == 200
    return {str(one.title): plain(one) for one in response.context["sections"]}


def told(report_id: int) -> None:
    steps.check(report_id=report_id, actor="checker", at=AT)
    steps.submit(report_id=report_id, actor="maker", at=AT)


def due(institution: Institution) -> None:
    with database.as_role("worker"):
        Obligation.objects.create(
            institution=institution, scheme_code=SME, code=CODE, period="2026-03",
            due_on="2026-04-05", last_working_day="2026-04-03", draft_from="2026-04-01",
            addressee="对口财政部门", article="财金〔2026〕4号 二(三)",
        )  # fmt: skip


def test_the_checker_sees_what_is_signed_before_confirming(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    report.tables, report.schemes = (BY_SCHEME,), (SME,)
    due(banks[NANJING])
    made = make()
    checker = web(person(Role.CHECKER, banks[BANK], "checker"))

    found = shown(checker, "check", made)

    row = only(Report, pk=made)
    files = {one.name: one for one in only_files(made)}
    assert found == {
        "报表": [[
            f"#{made}", "新发放贷款月报", "全部政策", "甲银行南京分行", "2026-03", "1", "已生成",
            "None", "maker", "2026-04-02 17:00", "None", f"#{row.ledger_entry}",
        ]],
        "分政策（2 行）": [
            ["中小微", "甲银行", "1", "3,500.50", "30,000"],
            ["其他", "甲银行南京分行", "1,234", "-1,234,567.89", "0"],
            ["合计", "", "1,235", "-1,231,067.39", ""],
        ],
        "明细合计": [["明细", "放款金额", "3,500.50"]],
        "勾稽（两边相等）": [["放款合计 = 借据", "3,500.50"]],
        "对应的报送事项": [["2026-04-05", "中小微企业贷款贴息", "对口财政部门", "财金〔2026〕4号 二(三)"]],
        "文件": [
            [f"{STEM}.by_scheme.csv", "报表 · 分政策", "2", size(files, ".by_scheme.csv"), files[f"{STEM}.by_scheme.csv"].sha256],
            [f"{STEM}.csv", "报表 · 明细", "2", size(files, ".csv"), files[f"{STEM}.csv"].sha256],
            [f"{STEM}.pdf", "报表", "None", size(files, ".pdf"), files[f"{STEM}.pdf"].sha256],
        ],
    }  # fmt: skip
    assert only(Report, pk=made).state == "generated"


def only_files(report_id: int) -> list[ReportFile]:
    with database.as_role("worker"):
        return list(ReportFile.objects.filter(report_id=report_id))


def size(files: dict[str, ReportFile], ending: str) -> str:
    return f"{files[STEM + ending].size:,}"


def test_every_step_and_the_page_say_the_same(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    report.tables = (BY_SCHEME,)
    made = make()
    checker = web(person(Role.CHECKER, banks[BANK], "checker"))
    maker = web(person(Role.MAKER, banks[BANK], "maker"))
    seen = [shown(checker, "check", made), shown(checker, "give_back", made)]
    send(checker, PAGE, "check", made)
    seen.append(shown(maker, "submit", made))
    send(maker, PAGE, "submit", made)
    seen.append(shown(maker, "accept", made))
    page = maker.get(reverse("admin:reports_report_change", args=[made]))
    of_page = {str(one.title): plain(one) for one in page.context["sections"]}
    assert len(of_page) == 5
    assert [{k: v for k, v in one.items() if k != "报表"} for one in seen] == [of_page] * 4
    assert [one["报表"][0][6] for one in seen] == ["已生成", "已生成", "已复核", "已报送"]


def test_a_correction_is_checked_by_its_differences(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    first = make()
    told(first)
    report.amounts = {"JJ1": 100_002, "JJ3": 5}
    second = make()
    checker = web(person(Role.CHECKER, banks[BANK], "checker"))

    found = shown(checker, "check", second)

    assert found["报表"][0][7] == f"#{first}"
    assert found["与原报送的差异"] == [
        ["明细", "JJ1", "变更", "放款金额", "1000.00", "1000.02", "0.02"],
        ["明细", "JJ2", "删除", "放款金额", "2500.50", "", "-2500.50"],
        ["明细", "JJ3", "新增", "放款金额", "", "0.05", "0.05"],
    ]
    rows = {line[0]: line[2] for line in found["文件"]}
    assert rows[f"{STEM}_difference.csv"] == "1"
    assert rows[f"{STEM}_difference.rows.csv"] == "3"


def test_a_long_table_shows_its_beginning_and_a_large_or_changed_file_why_not(
    report: Small, banks: dict[str, Institution], web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = (Column("scheme_zh", "贴息政策", "text"), Column("drawn_fen", "放款金额", "yuan"))
    frame = pl.DataFrame(
        {"scheme_zh": [f"政策{n}" for n in range(21)], "drawn_fen": list(range(21))}
    )
    report.tables = (Table("by_scheme", "分政策", columns, whole(frame)),)
    made = make()
    checker = web(person(Role.CHECKER, banks[BANK], "checker"))
    title = "分政策（21 行中的前 20 行，其余见文件）"
    assert shown(checker, "check", made)[title][19] == ["政策19", "0.19"]

    monkeypatch.setattr("reports.admin.report_contents.READ_MAX_BYTES", 10)
    response = checker.get(address(PAGE, "check", made))
    (section,) = [one for one in response.context["sections"] if str(one.title) == title]
    assert (section.rows, "文件较大" in section.empty) == ([], True)


def test_a_report_made_before_its_tables_were_kept_still_opens(
    banks: dict[str, Institution], web: Any
) -> None:
    from tests.integration import report_rows

    with database.as_role("worker"):
        report_rows.filed(banks[NANJING].pk, AT)
    made = only(Report).pk
    found = shown(web(person(Role.CHECKER, banks[BANK], "checker")), "check", made)
    assert found["明细合计"] == []
    assert [line[2] for line in found["文件"]] == ["None"]


def test_an_english_reader_meets_no_chinese_titles(
    report: Small, banks: dict[str, Institution], web: Any
) -> None:
    report.tables = (BY_SCHEME,)
    told(make())
    report.amounts = {"JJ1": 1}
    made = make()
    checker = web(person(Role.CHECKER, banks[BANK], "checker"))
    checker.cookies["django_language"] = "en"
    response = checker.get(address(PAGE, "check", made))
    with translation.override("en"):
        sections = {str(one.title): one for one in response.context["sections"]}
        titles = [str(column.title) for one in sections.values() for column in one.columns]
    assert [text for text in [*sections, *titles] if CHINESE.search(text)] == []
    assert plain(sections["Ties (both sides are equal)"]) == [["drawn in all = notes", "0.01"]]
    assert plain(sections["Sums of the detail"])[0] == ["notes", "amount", "0.01"]
    by_scheme = sections["by scheme (2 rows)"]
    assert [line[0] for line in plain(by_scheme)][:2] == [SME, "x"]


def test_verify_counts_the_rows_again(
    report: Small, banks: dict[str, Institution], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make()
    with database.as_role("worker"):
        assert [one["rows"] for one in Report.objects.get().tables] == [2]
        assert verify_reports().problems == ()
    described = building.described

    def wrong(sheet: Any, name: str, rows: dict[str, int]) -> Any:
        return described(sheet, name, {key: count + 1 for key, count in rows.items()})

    monkeypatch.setattr(building, "described", wrong)
    report.amounts["JJ3"] = 1
    again = make()
    with database.as_role("worker"):
        assert verify_reports().problems == (
            f"报表 report #{again}: {STEM}.csv: 行数 rows are 3, 登记 recorded 4",
        )
    assert made != again
