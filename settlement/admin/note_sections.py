"""What the note's page shows of settlement: how it was judged, and what was deducted."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

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
from settlement.admin import wording
from settlement.admin.clawback_proposal import Propose
from settlement.admin.deductions import TIERS, granted_fen, raw_fen
from settlement.models import Deduction, Enrolment


def enrolments(request: HttpRequest, note: Any) -> Section:
    """The note's labels as judged, with every reason."""
    return Section(
        title=_("贴息认定"),
        columns=[
            *texts(_("贴息政策"), _("结论"), _("原因"), _("贴息起日"), _("贴息止日（不含）")),
            *numbers(in_yuan(_("贴息本金"))),
        ],
        rows=[
            (
                link("settlement_enrolment", e.pk, scheme_name(e.scheme_code)),
                e.get_status_display(),
                wording.reasons_in_words(e.reasons) + wording.tiers_off_in_words(e.tiers_off),
                e.subsidised_from,
                e.subsidised_until,
                yuan(e.eligible_fen),
            )
            for e in Enrolment.objects.filter(note_id=note.pk).order_by("position")
        ],
    )


def deductions(request: HttpRequest, note: Any) -> Section:
    """What was deducted, by collection and scheme."""
    found = (
        Deduction.objects.filter(note_id=note.pk)
        .select_related("scheme")
        .prefetch_related("collection")  # by key: joined, every month meets every month
        .order_by("collected_on", "collection_id", "scheme__code", "sequence")
    )
    return Section(
        title=_("代付贴息"),
        columns=[
            *texts(_("收息日"), _("贴息政策"), _("计息期"), _("序次"), _("天数")),
            *numbers(
                in_yuan(_("应贴合计")), in_yuan(_("中央")), in_yuan(_("省级")), in_yuan(_("市级")),
                in_yuan(_("合计")),
            ),
            *texts(_("核减原因")),
        ],
        rows=[
            (
                link("settlement_deduction", d.pk, d.collected_on),
                scheme_name(d.scheme.code),
                f"{d.collection.period_start} ~ {d.collection.period_end}",
                d.sequence,
                d.days,
                yuan(raw_fen(d)),
                *(yuan(getattr(d, f"{tier}_fen")) for tier in TIERS),
                yuan(granted_fen(d)),
                wording.cuts_in_brief(d.cut_reasons),
            )
            for d in found[:SECTION_ROWS]
        ],
        more=list_address("settlement_deduction", q=note.note_number),
    )  # fmt: skip


def claw_back(request: HttpRequest, note: Any) -> list[Button]:
    """Propose to take back what was paid for the note, for whoever may."""
    if not Propose.may(request):
        return []
    address = f"{reverse('admin:settlement_clawback_propose')}?note={note.pk}"
    return [Button(Propose.title, address, Propose.icon)]


NOTE_SECTIONS.extend([enrolments, deductions])
NOTE_BUTTONS.append(claw_back)
