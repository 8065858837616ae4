"""Adding guarantee-fee subsidies up again: judgements, postings, entries and clawbacks (D17)."""

from __future__ import annotations

from config.kernel.services import bulk
from loans.selectors import facts
from settlement.engine.guarantee import subsidies
from settlement.models import Assessment
from settlement.selectors import enrolments
from settlement.services.assessments import ENGINE_VERSION
from settlement.services.schemes import terms_in_force

_APPLIED = (
    "(SELECT coalesce(sum(l.debit_fen - l.credit_fen), 0) FROM settlement_ledgerline l"
    " WHERE l.entry_id = e.id AND l.account = 'subsidy_applied')"
)
_EVENTS = "e.event IN ('deduction', 'negative_difference')"

# What must hold of what is posted: (what is wrong, query giving the places).
_RULES = (
    (
        "担保费补贴序号不连续 / guarantee postings with gaps",
        "SELECT min(g.guarantee_number) FROM settlement_guaranteeposting p"
        " JOIN loans_guarantee g ON g.id = p.guarantee_id GROUP BY p.guarantee_id, p.scheme_id"
        " HAVING max(p.sequence) <> count(*) - 1",
    ),
    (
        "担保费补贴累计为负 / a guarantee's postings add up to less than nothing",
        "SELECT min(g.guarantee_number) FROM settlement_guaranteeposting p"
        " JOIN loans_guarantee g ON g.id = p.guarantee_id"
        " GROUP BY p.guarantee_id, p.scheme_id, p.note_id HAVING sum(p.amount_fen) < 0",
    ),
    (
        "担保费补贴与分录不符 / a guarantee posting differs from its entry",
        "SELECT '#' || p.id FROM settlement_guaranteeposting p LEFT JOIN settlement_ledgerentry e"
        f" ON e.fund_id = p.fund_id AND e.source_id = p.id AND e.month = p.month AND {_EVENTS}"
        f" WHERE e.id IS NULL OR {_APPLIED} <> p.amount_fen OR e.posted_on <> p.posted_on"
        " OR e.actor <> p.actor",
    ),
    (
        "担保费补贴资金的分录没有入账明细 / an entry of a guarantee fund without its posting",
        "SELECT '#' || e.id FROM settlement_ledgerentry e JOIN settlement_fund f ON f.id = e.fund_id"
        f" WHERE f.purpose = 'guarantee_fee' AND {_EVENTS} AND NOT EXISTS ("
        "SELECT 1 FROM settlement_guaranteeposting p WHERE p.id = e.source_id"
        " AND p.fund_id = e.fund_id AND p.month = e.month)",
    ),
    (
        "担保费补贴负差额没有相应追回 / a negative guarantee posting without its clawback",
        "SELECT '#' || p.id FROM settlement_guaranteeposting p"
        " LEFT JOIN settlement_clawbacklapse l ON l.fund_id = p.fund_id AND l.origin_id = p.id"
        " WHERE greatest(-p.amount_fen, 0) - coalesce(l.amount_fen, 0) <> (SELECT"
        " coalesce(sum(c.amount_fen), 0) FROM settlement_clawback c WHERE c.fund_id = p.fund_id"
        " AND c.origin = 'difference' AND c.origin_id = p.id)",
    ),
)


def verify_guarantees() -> list[str]:
    """What does not agree of guarantee-fee subsidies; empty if all does.

    Judgements are compared only while no fact or term is newer than the last judging.
    """
    found = [f"{wrong}: {place}" for wrong, query in _RULES for (place,) in bulk.rows(query)]
    return [*found, *_judged_otherwise()]


def _judged_otherwise() -> list[str]:
    book = terms_in_force()
    last = Assessment.objects.order_by("-pk").first()
    state = (facts.facts_position(), book.key, ENGINE_VERSION)
    if last is None or (last.facts_position, last.terms_key, last.engine) != state:
        return []
    judged = enrolments.comparable_guarantees(
        subsidies(
            terms=book.terms,
            guarantees=facts.guarantees(),
            notes=facts.notes(labelled=True),
            enrolments=enrolments.judged(),
        )
    )
    stored = enrolments.stored_guarantees()
    return [
        f"担保费补贴认定与重算不符 / guarantee subsidy differs: guarantee {guarantee_id} {scheme}"
        for one, other in ((judged, stored), (stored, judged))
        for guarantee_id, scheme in one.join(other, on=one.columns, how="anti", nulls_equal=True)
        .select("guarantee_id", "scheme_code")
        .sort("guarantee_id", "scheme_code")
        .rows()
    ]
