"""What settlement knows of a note's life: deductions, pay-outs, findings, clawbacks, their entries."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import link, list_address
from loans.admin.base import scheme_name, yuan
from loans.admin.timeline import EVENTS_MAX, LifeEvent, Told, register
from settlement.admin import wording
from settlement.admin.deductions import TIERS, granted_fen
from settlement.models import (
    Clawback,
    ClawbackMovement,
    Deduction,
    Event,
    Finding,
    GuaranteePosting,
    LedgerEntry,
    Payout,
    PayoutAttempt,
)

EXPLAIN = _("如何算出")


def deductions(request: HttpRequest, note: Any) -> Told:
    """What was deducted of each collection, differences on the day they were posted."""
    found = list(
        Deduction.objects.filter(note_id=note.pk)
        .select_related("scheme", "collection")
        .order_by("collected_on", "collection_id", "scheme__code", "sequence")[:EVENTS_MAX]
    )
    sums: dict[str, int] = {}
    for one in found:
        code = one.scheme.code
        sums[code] = sums.get(code, 0) + granted_fen(one)
    return Told(
        [_deducted(one) for one in found],
        sums=[
            (gettext("已贴息 %(scheme)s") % {"scheme": scheme_name(code)}, fen, "")
            for code, fen in sums.items()
        ],
        more=list_address("settlement_deduction", q=note.note_number),
    )


def _deducted(one: Deduction) -> LifeEvent:
    is_original = one.sequence == 0
    tiers = gettext("、").join(
        f"{wording.tier_name(tier)} {yuan(getattr(one, f'{tier}_fen'))}"
        for tier in TIERS
        if getattr(one, f"{tier}_fen")
    )
    cuts = wording.cuts_in_brief(one.cut_reasons)
    parts = [
        scheme_name(one.scheme.code),
        gettext("收息 %(reference)s") % {"reference": one.collection.reference},
        gettext("%(days)d 天") % {"days": one.days},
        tiers,
        gettext("核减：%(cuts)s") % {"cuts": cuts} if cuts else "",
        wording.posting_in_words(one.why),
    ]
    text = gettext("，").join(filter(None, parts))
    return LifeEvent(
        on=one.collected_on if is_original else one.posted_on,
        kind=_kind(one),
        what=link("settlement_deduction", one.pk, text),
        amount_fen=granted_fen(one),
        tone="good" if granted_fen(one) > 0 else ("bad" if granted_fen(one) < 0 else ""),
        unfolds=reverse("admin:settlement_deduction_explanation", args=[one.pk]),
        unfold_title=EXPLAIN,
    )


def _kind(one: Deduction) -> Any:
    if one.sequence:
        return _("贴息差额")
    return _("代付贴息") if granted_fen(one) >= 0 else _("贴息冲回")


def fees(request: HttpRequest, note: Any) -> Told:
    """Guarantee-fee subsidies posted."""
    found = GuaranteePosting.objects.filter(note_id=note.pk).select_related("guarantee", "scheme")
    return Told(
        [
            LifeEvent(
                p.posted_on,
                _("担保费补贴"),
                link(
                    "settlement_guaranteeposting",
                    p.pk,
                    f"{scheme_name(p.scheme.code)} {p.guarantee.guarantee_number}",
                ),
                p.amount_fen,
                tone="good" if p.amount_fen > 0 else "bad",
            )
            for p in found.order_by("posted_on", "pk")[:EVENTS_MAX]
        ]
    )


def payouts(request: HttpRequest, note: Any) -> Told:
    """Subsidies paid out to the enterprise's account, and how far each has come."""
    last = PayoutAttempt.objects.filter(payout=OuterRef("pk")).order_by("-pk")
    found = (
        Payout.objects.filter(note_id=note.pk)
        .select_related("scheme")
        .annotate(attempt=Subquery(last.values("state")[:1]))
        .order_by("due_on", "pk")[:EVENTS_MAX]
    )
    states = dict(PayoutAttempt.State.choices)
    return Told(
        [
            LifeEvent(
                p.due_on,
                _("直接拨付"),
                link(
                    "settlement_payout",
                    p.pk,
                    f"{scheme_name(p.scheme.code)} {states.get(p.attempt, gettext('待拨付'))}",
                ),
                p.amount_fen,
                tone="bad" if p.attempt == PayoutAttempt.State.FAILED else "",
            )
            for p in found
        ]
    )


def findings(request: HttpRequest, note: Any) -> Told:
    """What the duplicate check found of the note, and what two people said of it."""
    found = Finding.objects.filter(Q(note_id=note.pk)).select_related("decision").order_by("pk")
    events = []
    for f in found[: EVENTS_MAX // 2]:
        shown = link("settlement_finding", f.pk, f"#{f.pk} {f.get_rule_display()}")
        what = format_html("{} {} {}", shown, f.get_severity_display(), f.article)
        stake = f.central_fen + f.provincial_fen + f.municipal_fen
        day = timezone.localtime(f.found_at).date()
        events.append(LifeEvent(day, _("核查发现"), what, stake, tone="bad"))
        if f.decision is not None and f.decision.checked_at is not None:
            said = f"{f.get_state_display()} {f.decision.why}"
            decided = timezone.localtime(f.decision.checked_at).date()
            text = format_html("{} {}", shown, said)
            events.append(LifeEvent(decided, _("核查结论"), text))
    return Told(events, more=list_address("settlement_finding", q=note.note_number))


def clawbacks(request: HttpRequest, note: Any) -> Told:
    """What is asked back."""
    found = Clawback.objects.filter(note_id=note.pk).order_by("made_at", "pk")[:EVENTS_MAX]
    return Told(
        [
            LifeEvent(
                timezone.localtime(c.made_at).date(),
                _("追回"),
                format_html(
                    "{} {} {}",
                    link("settlement_clawback", c.pk, f"#{c.pk} {c.get_origin_display()}"),
                    c.get_state_display(),
                    wording.posting_in_words(c.why),
                ),
                c.amount_fen,
                tone="bad",
            )
            for c in found
        ],
        more=list_address("settlement_clawback", q=note.note_number),
    )


def movements(request: HttpRequest, note: Any) -> Told:
    """What came of clawbacks."""
    found = ClawbackMovement.objects.filter(note_id=note.pk).order_by("moved_on", "pk")
    return Told(
        [
            LifeEvent(
                m.moved_on,
                _("追回变动"),
                link(
                    "settlement_clawbackmovement",
                    m.pk,
                    f"#{m.clawback_id} {m.get_kind_display()} {m.reference or wording.posting_in_words(m.why)}",
                ),
                m.amount_fen or None,
                tone=_movement_tone(m),
            )
            for m in found[:EVENTS_MAX]
        ]
    )


def _movement_tone(one: ClawbackMovement) -> str:
    """Runs offset by themselves; everything else waits for a second person."""
    if one.refused_why:
        return ""
    is_in_force = one.checked_by is not None or one.kind == ClawbackMovement.Kind.OFFSET
    return "good" if is_in_force else "planned"


def entries(request: HttpRequest, note: Any) -> Told:
    """Ledger entries of the note's clawbacks; those of a deduction stand in its explanation."""
    owed = Clawback.objects.filter(note_id=note.pk)
    moved = ClawbackMovement.objects.filter(note_id=note.pk)
    found = LedgerEntry.objects.filter(
        Q(event=Event.CLAWBACK_DECIDED, source_id__in=owed.values("pk"))
        | Q(
            event__in=[Event.CLAWBACK_RECEIVED, Event.CLAWBACK_WRITTEN_OFF],
            source_id__in=moved.values("pk"),
        ),
        fund_id__in=owed.values("fund_id"),
    ).order_by("posted_on", "pk")
    return Told(
        [
            LifeEvent(
                e.posted_on,
                _("资金分录"),
                link("settlement_ledgerentry", e.pk, f"{e.get_event_display()} {e.source}"),
            )
            for e in found[:EVENTS_MAX]
        ]
    )


for place, source in (
    (30, deductions), (32, fees), (34, payouts), (55, findings), (60, clawbacks),
    (62, movements), (64, entries),
):  # fmt: skip
    register(place, source)
