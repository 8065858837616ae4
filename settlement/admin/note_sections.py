"""What the note's page shows of settlement above its life: how it was judged, and what checks found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import staff
from config.kernel.admin.sections import (
    SECTION_ROWS,
    Button,
    Section,
    link,
    list_address,
    numbers,
    texts,
)
from loans.admin.base import in_yuan, scheme_name, yuan
from loans.admin.notes import NOTE_BUTTONS, NOTE_SECTIONS
from loans.selectors.notes import note_card
from settlement.admin import refusals, wording
from settlement.admin.clawback_proposal import Propose
from settlement.admin.sources import Notes
from settlement.models import Enrolment, Finding, FindingSide, MissedLabel
from settlement.services.explained import LabelWorking
from settlement.services.own_explanations import explain_judgement

MISSED = _("应享未享")


def enrolments(request: HttpRequest, note: Any) -> Section:
    """The note's labels as judged; every rule that fails with what it demands and what to do."""
    judged = list(Enrolment.objects.filter(note_id=note.pk).order_by("position"))
    why = _why(request, note) if any(e.reasons for e in judged) else {}
    notes = Notes()
    rows = [
        (
            link("settlement_enrolment", e.pk, scheme_name(e.scheme_code)),
            _one_line(e.get_status_display()),
            _said(e, why.get(e.scheme_code), notes),
            _days(e) if e.status == Enrolment.Status.ELIGIBLE else None,
            yuan(e.eligible_fen),
        )
        for e in judged
    ]
    return Section(
        title=_("贴息认定"),
        columns=[
            *texts(_("贴息政策"), _("结论"), _("原因与处理"), _("贴息期（止日不含）")),
            *numbers(in_yuan(_("贴息本金"))),
        ],
        rows=[*rows, *_unjudged(note, {e.scheme_code for e in judged}), *_missed(note)],
    )


def refused_rules(request: HttpRequest, one: Enrolment) -> Section:
    """Every rule that a judged label fails, on the page of the judgement."""
    why = _why(request, one.note) if one.reasons else {}
    return refusals.as_table(one.reasons, why.get(one.scheme_code), Notes())


def _why(request: HttpRequest, note: Any) -> dict[str, LabelWorking]:
    user = staff(request)
    card = note_card(note_id=note.pk)
    scope = user.scope if user else None
    if card is None or scope is None:
        return {}
    labels = explain_judgement(note=card, scope=(scope.lo, scope.hi))
    return {label.scheme.code: label for label in labels}


def _said(one: Enrolment, label: LabelWorking | None, notes: Notes) -> Any:
    if one.reasons and label is not None:
        return refusals.in_words_of(label, notes)
    capped = wording.CUTS["principal_cap"] if one.principal_capped else ""
    off = wording.tiers_off_in_words(one.tiers_off)
    return format_html("{}{}{}", wording.reasons_in_words(one.reasons), off, capped)


def _days(one: Any) -> Any:
    """The subsidised days."""
    return _one_line(f"{one.subsidised_from} ~ {one.subsidised_until}")


def _one_line(text: Any) -> Any:
    return format_html('<span class="whitespace-nowrap">{}</span>', text)


def _unjudged(note: Any, judged: set[str]) -> Iterator[tuple[Any, ...]]:
    """Labels put on since the last judgement."""
    for code in note.scheme_codes:
        if code not in judged:
            why = _("标签登记后尚未认定，下次认定任务后可见")
            yield scheme_name(code), _one_line(_("待认定")), why, None, None


def _missed(note: Any) -> Iterator[tuple[Any, ...]]:
    """Labels that the note misses, as of the last search."""
    found = MissedLabel.objects.filter(note_id=note.pk).order_by("scheme_code")
    for one in found:
        if one.scheme_code not in note.scheme_codes:
            address = (
                f"{reverse('admin:loans_note_label')}?notes={note.pk}&scheme={one.scheme_code}"
            )
            what = gettext("符合条件而未加标签")
            step = format_html(
                '{}，<a class="text-link life-link" href="{}">{}</a>', what, address, _("加标签")
            )
            yield (
                scheme_name(one.scheme_code),
                _one_line(MISSED),
                step,
                _days(one),
                yuan(one.eligible_fen),
            )


def findings(request: HttpRequest, note: Any) -> Section:
    """What checks found of the note, whoever has to answer for it."""
    own = list(Finding.objects.filter(note_id=note.pk).order_by("pk")[:SECTION_ROWS])
    known = {one.pk for one in own}
    sides = FindingSide.objects.filter(note_id=note.pk).order_by("finding_id", "position")
    rows: list[tuple[Any, ...]] = [
        (
            link("settlement_finding", f.pk, f"#{f.pk}"),
            f.get_rule_display(),
            f.article,
            _("事实已消除") if f.gone_at else f.get_state_display(),
            "；".join(map(scheme_name, f.blocked_schemes)) if f.is_blocking else "",
            yuan(f.central_fen + f.provincial_fen + f.municipal_fen),
        )
        for f in own
    ]
    rows += [
        (
            link("settlement_findingside", s.pk, f"#{s.finding_id}"),
            _("由另一方所在机构处理"),
            None,
            None,
            None,
            None,
        )
        for s in sides[:SECTION_ROWS]
        if s.finding_id not in known
    ]
    return Section(
        title=_("重复贴息核查"),
        columns=[
            *texts(_("核查事项"), _("规则"), _("依据条款"), _("状态"), _("暂停贴息的政策")),
            *numbers(in_yuan(_("涉及金额"))),
        ],
        rows=rows,
        more=list_address("settlement_finding", q=note.note_number) if own else "",
    )


def claw_back(request: HttpRequest, note: Any) -> list[Button]:
    """Propose to take back what was paid for the note, for whoever may."""
    if not Propose.may(request):
        return []
    address = f"{reverse('admin:settlement_clawback_propose')}?note={note.pk}"
    return [Button(Propose.title, address, Propose.icon)]


NOTE_SECTIONS.extend([enrolments, findings])
NOTE_BUTTONS.append(claw_back)
