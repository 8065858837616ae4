"""What a report says: shown on its page, and to whoever checks, files or answers for it, before they do.

All of it was stored when the report was made, or stands in its small files: nothing is worked out
again, and no file of many rows is read.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import SECTION_ROWS, Column, Section, link, numbers, texts
from loans.admin.base import in_yuan, own_language, yuan
from loans.values.errors import DomainError
from loans.values.money import grouped_yuan
from reports.admin import wording
from reports.models import Report, ReportFile
from reports.selectors.obligations import obligations_of
from reports.services import storing

AMOUNTS = ("yuan", "wan")  # in files both stand in yuan
FIGURES = (*AMOUNTS, "int", "rate", "exchange", "product")
NUMBER = re.compile(r"(-?)([0-9]+)((?:\.[0-9]+)?)")
SUMMARY_ROWS = 20  # as many as a person looks through; the files hold all
READ_MAX_BYTES = 4 << 20  # the store proves a file by reading all of it
LINE_CHARACTERS = 24
ROWS_OF_NOTES = "note_number"  # a table with this column is the detail that others sum up
DIFFERENCE_ROWS = "_difference.rows.csv"

Table = Mapping[str, Any]  # as `reports.services.building.described` stored it


def contents(request: HttpRequest, report: Report) -> list[Section]:
    """Everything that a person answers for with the report, above the step's form."""
    return [
        about(request, report),
        *said(request, report),
        obligations(request, report),
        files(request, report),
    ]


def said(request: HttpRequest, report: Report) -> list[Section]:
    """Its sums: by policy and institution, of all columns, those that tie, and what it corrects."""
    return [
        *summaries(report),
        totals(request, report),
        ties(request, report),
        *([differences(request, report)] if report.corrects_id else []),
    ]


def about(request: HttpRequest, report: Report) -> Section:
    """Which report it is, of what, up to where, and by whom."""
    titles = (
        _("序号"), _("报表"), _("贴息政策"), _("机构"), _("报告期"), _("版次"), _("状态"),
        _("更正的报表"), _("经办"), _("生成时间"), _("复核"), _("截至分录"),
    )  # fmt: skip
    corrected = report.corrects_id
    return Section(
        title=_("报表"),
        columns=texts(*titles),
        rows=[
            (
                link("reports_report", report.pk, f"#{report.pk}"),
                wording.report_name(report.code),
                wording.scheme_or_all(report.scheme_code),
                report.institution.name,
                report.period,
                report.version,
                report.get_state_display(),
                corrected and link("reports_report", corrected, f"#{corrected}"),
                report.made_by,
                f"{timezone.localtime(report.made_at):%Y-%m-%d %H:%M}",
                report.checked_by,
                f"#{report.ledger_entry}",
            )
        ],
    )


def summaries(report: Report) -> list[Section]:
    """Its tables that sum up (by policy, institution, tier …): the first rows of each, and its sums."""
    stored = {file.name: file for file in _files(report)}
    return [
        _summary(table, stored[table["file"]], report.totals)
        for table in report.tables
        if _sums_up(table) and table["file"] in stored
    ]


def _sums_up(table: Table) -> bool:
    is_difference = "_difference." in table["file"]
    return not is_difference and all(one["key"] != ROWS_OF_NOTES for one in table["columns"])


def _summary(table: Table, file: ReportFile, sums: Sequence[Table]) -> Section:
    title, rows = wording.stored(table["title"], table["key"]), table["rows"]
    told = gettext("%(title)s（%(rows)s 行）") % {"title": title, "rows": f"{rows:,}"}
    if rows > SUMMARY_ROWS:
        told = gettext("%(title)s（%(rows)s 行中的前 %(first)s 行，其余见文件）") % {
            "title": title, "rows": f"{rows:,}", "first": SUMMARY_ROWS,
        }  # fmt: skip
    shown = _shown(table)
    try:
        lines = _lines(file, SUMMARY_ROWS)
    except DomainError as refusal:
        return Section(title=told, columns=[], rows=[], empty=own_language(str(refusal)))
    body = [[_cell(one["kind"], line[place]) for place, one in shown] for line in lines]
    of_table = {one["key"]: _sum(one) for one in sums if one["file"] == file.name}
    last = [of_table.get(one["key"], "") for _place, one in shown]
    return Section(
        title=told,
        columns=[_column(one) for _place, one in shown],
        rows=[*body, [_("合计"), *last[1:]]] if body and of_table else body,
        empty=_("没有数据"),
    )


def _shown(table: Table) -> list[tuple[int, Table]]:
    """Columns with their places: names rather than codes, but policies' codes for who reads English."""
    kept = list(enumerate(table["columns"]))
    if {one["key"] for one in table["columns"]} >= {"scheme_zh", "scheme_code"}:
        hidden = "scheme_zh" if get_language() == "en" else "scheme_code"
        kept = [(place, one) for place, one in kept if one["key"] != hidden]
    return [(place, one) for place, one in kept if one["shown"] or one["key"] == "scheme_code"]


def _column(one: Table) -> Column:
    title = wording.stored(one["title"], one["key"])
    named = in_yuan(title) if one["kind"] in AMOUNTS else title
    return Column(named, is_number=one["kind"] in FIGURES)


def _cell(kind: str, text: str) -> Any:
    """A figure of a file with its thousands apart; anything else as it stands, short words on one line."""
    found = NUMBER.fullmatch(text)
    if kind not in FIGURES or found is None:
        text = wording.cell_in_words(text)
        short = len(text) <= LINE_CHARACTERS
        return format_html('<span class="whitespace-nowrap">{}</span>', text) if short else text
    sign, whole, rest = found.groups()
    return f"{sign}{int(whole):,}{rest}"


def _lines(file: ReportFile, most: int) -> list[list[str]]:
    """The first rows of a file after its header; DomainError if it is too large to show, or not what it was."""
    if file.size > READ_MAX_BYTES:
        why = gettext("文件较大（%(size)s 字节），请下载查看") % {"size": f"{file.size:,}"}
        raise DomainError("too_large_to_show", why)
    with (
        storing.opened(file=file) as source,
        io.TextIOWrapper(source, encoding="utf-8", newline="") as text,
    ):
        return list(islice(csv.reader(text), 1, 1 + most))


def totals(request: HttpRequest, report: Report) -> Section:
    """What columns add up to whose tables are not shown: the detail's, note by note."""
    shown = {one["file"] for one in report.tables if _sums_up(one)}
    keys = {one["file"]: one["key"] for one in report.tables}
    return Section(
        title=_("明细合计"),
        columns=[*texts(_("表"), _("项目")), *numbers(_("合计（金额为元）"))],
        rows=[
            (
                wording.stored(one["table"], keys.get(one["file"], "")),
                wording.stored(one["column"], one["key"]),
                _sum(one),
            )
            for one in report.totals
            if one["file"] not in shown
        ],
        empty=_("没有逐笔明细"),
    )


def _sum(total: Table) -> str:
    """A sum as people read it: amounts in yuan, days times money in yuan and days, counts as they are."""
    is_money = total["kind"] in (*AMOUNTS, "product")
    return grouped_yuan(total["value"]) if is_money else f"{total['value']:,}"


def ties(request: HttpRequest, report: Report) -> Section:
    """What was proved equal when it was made."""
    return Section(
        title=_("勾稽（两边相等）"),
        columns=[*texts(_("关系")), *numbers(in_yuan(_("金额")))],
        rows=[(wording.tie_in_words(one["name"]), yuan(one["fen"])) for one in report.ties],
    )


def differences(request: HttpRequest, report: Report) -> Section:
    """What changed against the version that was submitted: the first rows of the difference report."""
    titles = (_("表"), _("行"), _("变化"), _("项目"), _("原报送"), _("更正后"), _("差额"))
    lines, told = _difference_lines(report)
    return Section(
        title=_("与原报送的差异"),
        columns=[*texts(*titles[:4]), *numbers(*titles[4:])],
        rows=[[*line[:2], wording.change_in_words(line[2]), *line[3:]] for line in lines],
        empty=told or _("与原报送的数据相同"),
    )


def _difference_lines(report: Report) -> tuple[Sequence[Sequence[str]], str]:
    """Rows of the stored difference report, or why they cannot be shown."""
    found = [one for one in _files(report) if one.name.endswith(DIFFERENCE_ROWS)]
    try:
        return [line for file in found for line in _lines(file, SECTION_ROWS)], ""
    except DomainError as refusal:
        return [], own_language(str(refusal))


def obligations(request: HttpRequest, report: Report) -> Section:
    """Which deadlines it answers once it is submitted."""
    return Section(
        title=_("对应的报送事项"),
        columns=texts(_("截止日"), _("贴息政策"), _("报送对象"), _("依据")),
        rows=[
            (
                link("reports_obligation", one.pk, one.due_on),
                wording.scheme_or_all(one.scheme_code),
                one.addressee,
                one.article,
            )
            for one in obligations_of(report)
        ],
        empty=_("没有对应的报送事项：该机构或报告期无需报送本表，仅供内部使用"),
    )


def files(request: HttpRequest, report: Report) -> Section:
    """Its files, to take away; how many rows each table has."""
    tables = {one["file"]: one for one in report.tables}
    return Section(
        title=_("文件"),
        columns=[
            *texts(_("文件名"), _("内容")), *numbers(_("行数"), _("字节数")), *texts("sha256"),
        ],
        rows=[
            (
                _download(file),
                _content(file, tables.get(file.name)),
                f"{tables[file.name]['rows']:,}" if file.name in tables else None,
                f"{file.size:,}",
                file.sha256,
            )
            for file in _files(report)
        ],
    )  # fmt: skip


def _content(file: ReportFile, table: Table | None) -> Any:
    role = file.get_role_display()
    if table is None:
        return role
    return f"{role} · {wording.stored(table['title'], table['key'])}"


def _download(file: ReportFile) -> Any:
    address = reverse("admin:reports_report_file", args=[file.report_id, file.pk])
    return format_html('<a href="{}" class="text-link">{}</a>', address, file.name)


def _files(report: Report) -> list[ReportFile]:
    """Its files, read once for all parts of a page."""
    kept: list[ReportFile] | None = report.__dict__.get("_shown_files")
    if kept is None:
        kept = list(report.files.order_by("-role", "name"))
        report.__dict__["_shown_files"] = kept
    return kept
