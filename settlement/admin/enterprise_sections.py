"""What the enterprise's page shows of settlement: caps used and left, subsidies by year, notes, findings.

Caps belong to the enterprise, whatever bank: their totals count every institution's notes, and no row of
another institution is shown (A30).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import F, Q, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import (
    SECTION_ROWS,
    Section,
    link,
    list_address,
    numbers,
    texts,
)
from loans.admin.base import in_yuan, scheme_name, yuan
from loans.admin.parties import ENTERPRISE_SECTIONS
from loans.admin.words import in_words
from settlement.admin import wording
from settlement.admin.sources import Notes
from settlement.engine.terms_model import AmountCap, PrincipalCap, Terms
from settlement.models import Deduction, Enrolment, Finding
from settlement.selectors.counted import EnterpriseUse, enterprise_use
from settlement.services.explained import cite
from settlement.services.schemes import terms_in_force

NET = F("central_fen") + F("provincial_fen") + F("municipal_fen")


@dataclass(frozen=True)
class Use:
    """How much of one cap is used, in fen."""

    scheme: str
    cap: Any
    extent: str
    limit_fen: int
    used_fen: int
    source: str


def caps(request: HttpRequest, enterprise: Any) -> Section:
    """Caps used and left, per scheme, as figures with a bar beside them."""
    known = enterprise_use(enterprise_id=enterprise.pk)
    touched = {one.scheme_code for one in known if one.scheme_code}
    notes = Notes()
    projects = dict(enterprise.contracts.values_list("project_id", "project__project_code"))
    found = [
        use
        for terms in terms_in_force().terms
        if terms.code in touched
        for use in _uses(terms, known, projects, notes)
    ]
    return Section(
        title=_("上限使用（含该企业在其他机构的借据，只计总额）"),
        columns=[
            *texts(_("贴息政策"), _("上限"), _("范围")),
            *numbers(in_yuan(_("限额")), in_yuan(_("已用")), in_yuan(_("剩余"))),
            *texts(_("使用比例"), _("依据")),
        ],
        rows=[
            (
                use.scheme,
                use.cap,
                use.extent,
                yuan(use.limit_fen),
                yuan(use.used_fen),
                yuan(max(use.limit_fen - use.used_fen, 0)),
                meter(use),
                use.source,
            )
            for use in found
        ],
    )


def meter(use: Use) -> SafeString:
    """The share used, as a bar with its figure."""
    share = min(use.used_fen * 100 // use.limit_fen, 100) if use.limit_fen else 100
    label = f"{use.scheme} {use.cap} {use.extent}"
    return format_html(
        '<div class="life-meter{}" role="meter" aria-label="{}" aria-valuemin="0" aria-valuemax="100"'
        ' aria-valuenow="{}"><span style="width: {}%"></span></div>'
        '<span class="life-meter-text">{}%</span>',
        " is-full" if share == 100 else "",
        label,
        share,
        share,
        share,
    )


def _uses(
    terms: Terms, known: list[EnterpriseUse], projects: dict[int, str], notes: Notes
) -> Iterator[Use]:
    own = [one for one in known if one.scheme_code == terms.code]
    for principal in terms.principal_caps:
        if principal.per == "enterprise":
            yield from _principal(terms, principal, own, notes)
    for cap in terms.amount_caps:
        if cap.per == "enterprise":
            yield from _amounts(terms, cap, own, known, notes)
        elif cap.per == "project":
            yield from _projects(terms, cap, own, projects, notes)


def _principal(
    terms: Terms, cap: PrincipalCap, own: list[EnterpriseUse], notes: Notes
) -> Iterator[Use]:
    mine = [
        one
        for one in own
        if one.kind == "principal" and (not cap.loan_types or one.loan_type in cap.loan_types)
    ]
    types = gettext("、").join(in_words(code) for code in cap.loan_types)
    block = cap.limit_fen.blocks[-1]
    for extent, used in _by_span(cap.span, mine):
        yield Use(
            scheme=scheme_name(terms.code),
            cap=gettext("贴息本金（%(types)s）") % {"types": types} if types else _("贴息本金"),
            extent=extent,
            limit_fen=block.amount,
            used_fen=used,
            source=notes.tag(cite(terms, block.key)),
        )


def _amounts(
    terms: Terms,
    cap: AmountCap,
    own: list[EnterpriseUse],
    known: list[EnterpriseUse],
    notes: Notes,
) -> Iterator[Use]:
    mine = [one for one in own if one.kind in ("granted", "opening")]
    if cap.joint:
        mine += [one for one in known if one.kind == "leasing"]
    block = cap.limit_fen.blocks[-1]
    for extent, used in _by_span(cap.span, mine):
        yield Use(
            scheme=scheme_name(terms.code),
            cap=wording.CUTS_SHORT[cap.reason],
            extent=extent,
            limit_fen=block.amount,
            used_fen=used,
            source=notes.tag(cite(terms, block.key)),
        )


def _projects(
    terms: Terms, cap: AmountCap, own: list[EnterpriseUse], projects: dict[int, str], notes: Notes
) -> Iterator[Use]:
    by_project: dict[int, list[EnterpriseUse]] = defaultdict(list)
    for one in own:
        if one.kind == "project":
            by_project[one.project_id].append(one)
    block = cap.limit_fen.blocks[-1]
    for project_id, mine in by_project.items():
        if project_id not in projects:
            continue  # a project of another institution's contract: out of the reader's sight
        for extent, used in _by_span(cap.span, mine):
            yield Use(
                scheme=scheme_name(terms.code),
                cap=wording.CUTS_SHORT[cap.reason],
                extent=f"{projects[project_id]} {extent}",
                limit_fen=block.amount,
                used_fen=used,
                source=notes.tag(cite(terms, block.key)),
            )


def _by_span(span: str, rows: Iterable[EnterpriseUse]) -> list[tuple[str, int]]:
    """Sums over the scheme's life, or year by year."""
    if span == "life":
        return [(gettext("政策存续期"), sum(one.amount_fen for one in rows))]
    years: dict[int, int] = defaultdict(int)
    for one in rows:
        years[one.year] += one.amount_fen
    if not years:
        years[timezone.localdate().year] = 0
    return [(gettext("%(year)d 年") % {"year": year}, years[year]) for year in sorted(years)]


def by_year(request: HttpRequest, enterprise: Any) -> Section:
    """What was subsidised per scheme and year: everywhere, and of it within the reader's scope."""
    everywhere: dict[tuple[str, int], int] = defaultdict(int)
    for one in enterprise_use(enterprise_id=enterprise.pk):
        if one.kind in ("granted", "opening"):
            everywhere[one.scheme_code, one.year] += one.amount_fen
    own = (
        Deduction.objects.filter(note__contract__enterprise_id=enterprise.pk)
        .values_list("scheme__code", "collected_on__year")
        .annotate(net=Sum(NET))
        .order_by()
    )
    within = {(code, year): net for code, year, net in own}
    rows: list[tuple[Any, ...]] = [
        (scheme_name(code), str(year), yuan(fen), yuan(within.get((code, year), 0)))
        for (code, year), fen in sorted(everywhere.items())
    ]
    total = (_("合计"), "", yuan(sum(everywhere.values())), yuan(sum(within.values())))
    return Section(
        title=_("已贴息"),
        columns=[
            *texts(_("贴息政策"), _("年度")),
            *numbers(in_yuan(_("全部机构")), in_yuan(_("其中您的机构范围内"))),
        ],
        rows=[*rows, total] if rows else [],
    )


def notes_of(request: HttpRequest, enterprise: Any) -> Section:
    """The enterprise's notes within the reader's scope: how each label is judged, and what was paid."""
    found = list(
        apps.get_model("loans", "Note")
        .objects.filter(contract__enterprise_id=enterprise.pk)
        .select_related("institution")
        .order_by("drawn_on", "note_number")[:SECTION_ROWS]
    )
    keys = [note.pk for note in found]
    judged: dict[int, list[str]] = defaultdict(list)
    for one in Enrolment.objects.filter(note_id__in=keys).order_by("note_id", "position"):
        judged[one.note_id].append(f"{scheme_name(one.scheme_code)} {one.get_status_display()}")
    paid = dict(
        Deduction.objects.filter(note_id__in=keys)
        .values_list("note_id")
        .annotate(net=Sum(NET))
        .order_by()
    )
    return Section(
        title=_("借据"),
        columns=[
            *texts(_("借据号"), _("所属机构"), _("放款日期"), _("到期日期"), _("贴息认定")),
            *numbers(in_yuan(_("放款金额")), in_yuan(_("已贴息"))),
        ],
        rows=[
            (
                link("loans_note", note.pk, note.note_number),
                note.institution.name,
                note.drawn_on,
                note.matures_on,
                gettext("；").join(judged[note.pk]) or gettext("无标签"),
                yuan(note.principal_fen),
                yuan(paid.get(note.pk, 0)),
            )
            for note in found
        ],
        more=list_address("loans_note", q=enterprise.uscc),
    )


def findings(request: HttpRequest, enterprise: Any) -> Section:
    """Duplicates and misuse found of the enterprise or its notes."""
    about = Q(enterprise_id=enterprise.pk) | Q(note__contract__enterprise_id=enterprise.pk)
    found = Finding.objects.filter(about).select_related("note").order_by("-pk")[:SECTION_ROWS]
    return Section(
        title=_("重复贴息核查"),
        columns=[
            *texts(_("核查事项"), _("规则"), _("借据号"), _("依据条款"), _("状态")),
            *numbers(in_yuan(_("涉及金额"))),
        ],
        rows=[
            (
                link("settlement_finding", f.pk, f"#{f.pk}"),
                f.get_rule_display(),
                None if f.note is None else link("loans_note", f.note_id, f.note.note_number),
                f.article,
                _("事实已消除") if f.gone_at else f.get_state_display(),
                yuan(f.central_fen + f.provincial_fen + f.municipal_fen),
            )
            for f in found
        ],
        more=list_address("settlement_finding", q=enterprise.uscc),
    )


ENTERPRISE_SECTIONS.extend([caps, by_year, notes_of, findings])
