"""What pages say of papers: of a note what is there and what to do, of a plan whose letters lack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import may_make
from config.kernel.admin.sections import Section, link, list_address, texts
from loans.admin.base import own_language, scheme_name
from loans.admin.papers import file_address, paper_kind_name
from settlement.models import Enrolment, JudgedStatus, PaperRule, Plan, SchemeVersion
from settlement.selectors import papers
from settlement.selectors.papers import Asked, HeldPaper

MISSING = _("缺少")
THERE = _("已有")
EXTRA = _("政策未要求")


def what_to_do(rule: Any) -> str:
    """What is to be handed in, in the reader's language."""
    return str(rule.say_en if get_language() == "en" else rule.say_zh)


def source(rule: Any) -> str:
    """The article that asks for it, and what is assumed beside it."""
    parts = [rule.article, own_language(rule.assumed_because)]
    return gettext("；").join(part for part in parts if part)


def kinds_in_words(codes: Iterable[str]) -> str:
    """Kinds of papers, one after the other."""
    return gettext("、").join(paper_kind_name(code) for code in codes)


def note_papers(request: HttpRequest, note: Any) -> Section:
    """For each scheme of the note: which papers it asks for, what is there, what is missing."""
    labels = Enrolment.objects.filter(note_id=note.pk).exclude(status=JudgedStatus.INELIGIBLE)
    codes = list(labels.order_by("position").values_list("scheme_code", flat=True))
    rules = [rule for rule in papers.asked() if rule.scheme_code in codes]
    rules = [rule for rule in rules if note.equipment_fen > 0 or not rule.with_equipment]
    rules.sort(key=lambda rule: codes.index(rule.scheme_code))
    return Section(
        title=_("资料"),
        columns=texts(_("贴息政策"), _("资料"), _("状态"), _("资料或办理要求"), _("条款")),
        rows=list(
            _lines(
                rules,
                papers.held_by_note(note_id=note.pk),
                add=attach_address(note.pk) if may_make(request) else "",
            )
        ),
        more=list_address("loans_paper", q=note.note_number),
    )


def attach_address(note_id: int) -> str:
    """Where a paper of the note is added; whoever links to it adds which kind."""
    return f"{reverse('admin:loans_paper_attach')}?note={note_id}&kind="


def _lines(rules: list[Asked], held: list[HeldPaper], *, add: str) -> Iterator[tuple[Any, ...]]:
    used: set[int] = set()
    for rule in rules:
        found = [paper for paper in held if _serves(paper, rule)]
        used |= {paper.id for paper in found}
        yield (
            scheme_name(rule.scheme_code),
            paper_kind_name(rule.kind),
            THERE if found else format_html("<strong>{}</strong>", MISSING),
            _links(found) if found else _ask(rule, add),
            source(rule),
        )
    for paper in held:
        if paper.id not in used and paper.is_own:
            yield "", paper_kind_name(paper.kind), EXTRA, _links([paper]), ""


def _ask(rule: Asked, add: str) -> SafeString | str:
    """What to do, with the way to do it for those who may."""
    if not add or rule.per != "note":
        return what_to_do(rule)
    return format_html(
        '{} <a href="{}{}" class="text-link">{}</a>',
        what_to_do(rule),
        add,
        rule.kind,
        _("添加资料"),
    )


def _serves(paper: HeldPaper, rule: Asked) -> bool:
    if paper.kind != rule.kind or paper.is_own != (rule.per == "note"):
        return False
    return paper.scheme_code in ("", rule.scheme_code)


def _links(found: list[HeldPaper]) -> SafeString:
    return format_html_join("\n", "<div>{} {}</div>", ((_page(one), _file(one)) for one in found))


def _page(paper: HeldPaper) -> SafeString:
    name = paper.archive_number or f"#{paper.id}"
    return link("loans_paper", paper.id, f"{name}（{paper.made_by} {paper.made_at:%Y-%m-%d}）")


def _file(paper: HeldPaper) -> SafeString | str:
    if not paper.file_name:
        return ""
    return format_html(
        '<a href="{}" class="text-link">{}</a>', file_address(paper.id), paper.file_name
    )


def asked_by_version(request: HttpRequest, version: SchemeVersion) -> Section:
    """Which papers this text asks for, for whoever checks it."""
    return Section(
        title=_("资料要求"),
        columns=texts(_("资料"), _("由谁提供"), _("仅设备贷款"), _("缺少时"), _("要求"), _("条款")),
        rows=[
            (
                paper_kind_name(rule.kind),
                rule.get_per_display(),
                _("是") if rule.with_equipment else _("否"),
                _("计划不得复核") if rule.blocks else _("提示"),
                what_to_do(rule),
                source(rule),
            )
            for rule in PaperRule.objects.filter(version=version).order_by("position")
        ],
    )


def letters_lacking(request: HttpRequest, plan: Plan) -> Section:
    """Papers that the bank itself has not given under a scheme."""
    place = plan.institution
    return Section(
        title=_("机构缺少的资料"),
        columns=texts(_("贴息政策"), _("机构"), _("资料"), _("办理要求"), _("条款")),
        rows=[
            (
                scheme_name(gap.scheme_code),
                gap.institution_name,
                paper_kind_name(gap.kind),
                what_to_do(gap),
                gap.article,
            )
            for gap in papers.institution_gaps(scope=(place.pk, place.last_id))
        ],
    )
