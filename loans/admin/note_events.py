"""What the loan books know of a note's life: drawdown, repayments, statuses, interest, papers, labels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import link, list_address
from loans.admin.base import percent, scheme_name, yuan
from loans.admin.timeline import EVENTS_MAX, LifeEvent, Told, register
from loans.models import (
    Compensation,
    EquipmentInvoice,
    ExternalSubsidy,
    Guarantee,
    InterestCollection,
    Note,
    NoteStatus,
    NoteTransfer,
    OpeningPosition,
    PayoutAgreement,
    Repayment,
    ReviewResult,
)

REVIEW_TONES = {"approved": "good", "rejected": "bad", "disallowed": "bad"}


def lending(request: HttpRequest, note: Note) -> Told:
    """Signed, drawn, due."""
    contract, money = note.contract, note.contract.currency
    signed = format_html(
        "{} {}",
        link("loans_contract", contract.pk, contract.contract_number),
        contract.purpose_field,
    )
    drawn = gettext("年利率 %(rate)s，到期 %(day)s") % {
        "rate": percent(note.rate_ppm),
        "day": note.matures_on,
    }
    return Told(
        [
            LifeEvent(contract.signed_on, _("签订合同"), signed, contract.amount_fen, money),
            LifeEvent(note.drawn_on, _("放款"), drawn, note.principal_fen, money),
        ],
        sums=[(_("放款金额"), note.principal_fen, money)],
    )


def maturity(request: HttpRequest, note: Note) -> Told:
    """The day the rest is due, after whatever else happens on it."""
    return Told([LifeEvent(note.matures_on, _("到期日"), _("约定的最后还本日"), tone="planned")])


def invoices(request: HttpRequest, note: Note) -> Told:
    """Equipment bought."""
    found = EquipmentInvoice.objects.filter(note=note).order_by("issued_on", "pk")[:EVENTS_MAX]
    return Told(
        [
            LifeEvent(
                i.issued_on,
                _("设备发票"),
                " ".join(filter(None, (i.invoice_number, i.serial_number, i.supplier))),
                i.amount_fen,
            )
            for i in found
        ],
        more=list_address("loans_equipmentinvoice", q=note.note_number),
    )


def guarantees(request: HttpRequest, note: Note) -> Told:
    """Guarantees taken."""
    found = Guarantee.objects.filter(note=note).order_by("starts_on", "pk")[:EVENTS_MAX]
    return Told(
        [
            LifeEvent(
                g.starts_on,
                _("担保开始"),
                format_html(
                    gettext("{} {}，至 {}，费率 {}"),
                    link("loans_guarantee", g.pk, g.guarantee_number),
                    g.guarantor,
                    g.ends_on,
                    percent(g.fee_rate_ppm),
                ),
                g.principal_fen,
            )
            for g in found
        ]
    )


def compensations(request: HttpRequest, note: Note) -> Told:
    """Paid by a guarantor in the borrower's place."""
    found = Compensation.objects.filter(note=note).order_by("paid_on", "pk")[:EVENTS_MAX]
    return Told(
        [
            LifeEvent(
                c.paid_on,
                _("代偿"),
                link("loans_compensation", c.pk, c.reference),
                c.unpaid_principal_fen,
                tone="bad",
            )
            for c in found
        ]
    )


def transfers(request: HttpRequest, note: Note) -> Told:
    """Moved to another institution."""
    found = NoteTransfer.objects.filter(note=note).select_related("new_institution")
    return Told(
        [
            LifeEvent(
                t.moved_on,
                _("借据划转"),
                gettext("转入 %(place)s") % {"place": t.new_institution.name},
            )
            for t in found.order_by("moved_on")[:EVENTS_MAX]
        ]
    )


def statuses(request: HttpRequest, note: Note) -> Told:
    """Days on which the note was not in order: their first, and the first on which it was again."""
    events = []
    for s in NoteStatus.objects.filter(note=note).order_by("starts_on", "pk")[: EVENTS_MAX // 2]:
        name = s.get_status_display()
        until = (
            gettext("持续中") if s.ends_on is None else gettext("至 %(day)s") % {"day": s.ends_on}
        )
        what = gettext("%(until)s，期间不贴息") % {"until": until}
        events.append(LifeEvent(s.starts_on, name, what, tone="bad"))
        if s.ends_on is not None:
            ended = gettext("%(status)s结束，恢复正常") % {"status": name}
            events.append(LifeEvent(s.ends_on, _("恢复正常"), ended, tone="good"))
    return Told(events)


def repayments(request: HttpRequest, note: Note) -> Told:
    """Principal repaid, and reversals."""
    found = list(Repayment.objects.filter(note=note).order_by("repaid_on", "pk")[:EVENTS_MAX])
    repaid, money = sum(r.amount_fen for r in found), note.contract.currency
    return Told(
        [
            LifeEvent(
                r.repaid_on,
                _("还本") if r.amount_fen > 0 else _("还本冲正"),
                link("loans_repayment", r.pk, r.reference),
                r.amount_fen,
                money,
                "" if r.amount_fen > 0 else "bad",
            )
            for r in found
        ],
        sums=[
            (_("已还本金"), repaid, money),
            (_("本金余额"), note.principal_fen - repaid, money),
        ],
        more=list_address("loans_repayment", q=note.note_number),
    )


def collections(request: HttpRequest, note: Note) -> Told:
    """Interest collected, in part or whole, and planned where it is not collected yet."""
    done = InterestCollection.objects.filter(note_id=note.pk, completes_id=OuterRef("pk"))
    found = list(
        InterestCollection.objects.filter(note_id=note.pk)
        .exclude(Exists(done))
        .order_by("collected_on", "period_start", "pk")[:EVENTS_MAX]
    )
    return Told(
        [_collected(c) for c in found],
        sums=[(_("已收利息"), sum(c.interest_paid_fen or 0 for c in found), "")],
        more=list_address("loans_interestcollection", q=note.note_number),
    )


def _collected(c: InterestCollection) -> LifeEvent:
    what = format_html(
        gettext("{}，计息期 {} ~ {}（不含），应收 {} 元"),
        link("loans_interestcollection", c.pk, c.reference),
        c.period_start,
        c.period_end,
        yuan(c.interest_due_fen),
    )
    if c.interest_paid_fen is None:
        return LifeEvent(c.collected_on, _("计划收息"), what, c.interest_due_fen, tone="planned")
    kind = _("收息") if c.interest_paid_fen >= 0 else _("收息冲回")
    tone = "" if c.interest_paid_fen >= 0 else "bad"
    return LifeEvent(c.collected_on, kind, what, c.interest_paid_fen, tone=tone)


def reviews(request: HttpRequest, note: Note) -> Told:
    """What finance answered for a month, told at the month's end."""
    found = ReviewResult.objects.filter(note=note).order_by("month", "pk")[:EVENTS_MAX]
    events = []
    for r in found:
        parts = [scheme_name(r.scheme_code), f"{r.month:%Y-%m}", r.get_result_display()]
        text = " ".join(filter(None, [*map(str, parts), r.reason, r.document_number]))
        shown = link("loans_reviewresult", r.pk, text)
        tone = REVIEW_TONES.get(r.result, "")
        events.append(LifeEvent(_month_end(r.month), _("财政审核"), shown, r.amount_fen, tone=tone))
    return Told(events, more=list_address("loans_reviewresult", q=note.note_number))


def _month_end(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def external(request: HttpRequest, note: Note) -> Told:
    """Subsidies from elsewhere, counted from the first day of their year (D10)."""
    found = ExternalSubsidy.objects.filter(
        origin_id=note.origin_id, note_number=note.note_number
    ).order_by("year", "pk")[:EVENTS_MAX]
    return Told(
        [
            LifeEvent(
                date(x.year, 1, 1),
                _("外部贴息"),
                link("loans_externalsubsidy", x.pk, f"{x.source} {x.scheme_name} {x.reference}"),
                x.amount_fen,
            )
            for x in found
        ]
    )


def opening(request: HttpRequest, note: Note) -> Told:
    """What was subsidised before this system took over."""
    found = OpeningPosition.objects.filter(note=note).order_by("paid_through", "pk")[:EVENTS_MAX]
    return Told(
        [
            LifeEvent(
                p.paid_through,
                _("期初已贴息"),
                f"{scheme_name(p.scheme_code)} {p.get_tier_display()} {p.year}",
                p.amount_fen,
            )
            for p in found
        ]
    )


def payout_agreements(request: HttpRequest, note: Note) -> Told:
    """From when the subsidy is paid out instead of netted."""
    found = PayoutAgreement.objects.filter(note=note).order_by("valid_from", "pk")[:EVENTS_MAX]
    return Told(
        [
            LifeEvent(
                a.valid_from,
                _("约定直接拨付"),
                " ".join(filter(None, (a.account_name, a.account_number, a.bank_name, a.reason))),
            )
            for a in found
        ]
    )


def labels(request: HttpRequest, note: Note) -> Told:
    """Labels put on and taken off, from the states the note was in before each change."""
    states = apps.get_model("loans", "NoteEvent").objects.filter(pgh_obj_id=note.pk)
    found = states.order_by("pgh_id").values_list("pgh_created_at", "scheme_codes")[:EVENTS_MAX]
    former = [(timezone.localtime(at).date(), codes) for at, codes in found]
    return Told(list(_relabelled([*former, (date.max, note.scheme_codes)])))


def _relabelled(states: list[tuple[date, list[str]]]) -> Iterator[LifeEvent]:
    for (day, before), (_until, after) in pairwise(states):
        if before != after:
            what = f"{_listed(before)} → {_listed(after)}"
            yield LifeEvent(day, _("标签变更"), what)


def _listed(codes: list[str]) -> Any:
    return gettext("；").join(scheme_name(code) for code in codes) or gettext("无标签")


for place, source in (
    (0, lending), (5, invoices), (6, guarantees), (7, payout_agreements), (8, opening), (9, external),
    (10, transfers), (12, statuses), (14, repayments), (16, compensations), (20, collections),
    (50, reviews), (70, labels), (99, maturity),
):  # fmt: skip
    register(place, source)
