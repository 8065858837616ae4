"""What systems of provinces are told of: new notes, interest collected, subsidies paid (MF-21).

A note is told by the institution that drew it, wherever it is by now: that and its number never change.

Written by set into the transaction that stores what they tell, many rows to an event, and only where a
system is registered for the institution and scheme: nobody else's import pays for it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from config.kernel.models import SCOPE_ALL
from config.kernel.services import outbox
from settlement.engine.wire import COLLECTION, NOTE, ROWS_MAX, SUBSIDY
from settlement.models import ProvinceSystem
from settlement.services.province_definitions import definitions

EVERY_SCHEME = ""
Routes = dict[str, list[Any]]

_HEARD = """EXISTS (SELECT FROM unnest(%(los)s::bigint[], %(his)s::bigint[], %(schemes)s::text[]) AS h(lo, hi, scheme)
        WHERE {place} BETWEEN h.lo AND h.hi AND h.scheme IN ('', {scheme}))"""
_YUAN = "({0}::numeric / 100)::numeric(20,2)::text"
_DAY = "to_char({0}, 'YYYY-MM-DD')"


def _object(**parts: str) -> str:
    told = ", ".join(f"'{key}', {sql}" for key, sql in parts.items())
    return f"jsonb_build_object({told})"


_NOTES = f"""
SELECT r.institution_id, l.scheme_code, row_number() OVER (ORDER BY r.row, l.place) AS place,
    {_object(
        institution_code="i.code", note_number="r.note_number", scheme_code="l.scheme_code",
        contract_number="c.contract_number", uscc="e.uscc", enterprise_name="coalesce(w.name, '')",
        drawn_on=_DAY.format("r.drawn_on"), matures_on=_DAY.format("r.matures_on"),
        principal=_YUAN.format("r.principal_fen"), equipment_amount=_YUAN.format("r.equipment_fen"),
        annual_rate="(r.rate_ppm::numeric / 10000)::numeric(12,4)::text",
        change="l.change",
    )} AS body
FROM resolved r
CROSS JOIN LATERAL (
    SELECT x.code AS scheme_code, x.place,
        CASE WHEN x.code = ANY(r.stored_codes) THEN 'corrected' ELSE 'new' END AS change
    FROM unnest(r.scheme_codes) WITH ORDINALITY AS x(code, place)
    UNION ALL
    SELECT x.code, cardinality(r.scheme_codes) + x.place, 'withdrawn'
    FROM unnest(r.stored_codes) WITH ORDINALITY AS x(code, place)
    WHERE x.code <> ALL(r.scheme_codes)
) l
JOIN kernel_institution i ON i.id = r.origin_id
JOIN loans_contract c ON c.id = r.contract_id
JOIN loans_enterprise e ON e.id = c.enterprise_id
LEFT JOIN LATERAL (SELECT x.name FROM loans_enterpriserecord x WHERE x.enterprise_id = e.id
    ORDER BY x.valid_from <= r.drawn_on DESC, abs(x.valid_from - r.drawn_on) LIMIT 1) w ON true
WHERE (r.fresh OR r.changed) AND {_HEARD.format(place="r.institution_id", scheme="l.scheme_code")}
"""  # fmt: skip

_COLLECTIONS = f"""
SELECT r.institution_id, l.scheme_code, row_number() OVER (ORDER BY r.row, l.place) AS place,
    {_object(
        institution_code="i.code", note_number="n.note_number", scheme_code="l.scheme_code",
        reference="r.reference", period_start=_DAY.format("r.period_start"),
        period_end=_DAY.format("r.period_end"), collected_on=_DAY.format("r.collected_on"),
        interest_due=_YUAN.format("r.interest_due_fen"),
        interest_paid=_YUAN.format("r.interest_paid_fen"),
    )} AS body
FROM resolved r JOIN loans_note n ON n.id = r.note_id
CROSS JOIN LATERAL unnest(n.scheme_codes) WITH ORDINALITY AS l(scheme_code, place)
JOIN kernel_institution i ON i.id = r.origin_id
WHERE r.fresh AND r.interest_paid_fen IS NOT NULL
    AND {_HEARD.format(place="r.institution_id", scheme="l.scheme_code")}
"""  # fmt: skip


def _subsidies(way: str, *, of: str, row: str, amounts: str, paid_on: str, voucher: str) -> str:
    """`row` says which subsidy it is, `amounts` how much of it is told."""
    tiers = {
        tier: _YUAN.format(f"{amounts}.{tier}_fen")
        for tier in ("central", "provincial", "municipal")
    }
    total = f"({amounts}.central_fen + {amounts}.provincial_fen + {amounts}.municipal_fen)"
    told = _object(
        institution_code="i.code", note_number="n.note_number", scheme_code="s.code",
        reference="x.reference", period_start=_DAY.format("x.period_start"),
        period_end=_DAY.format("x.period_end"), sequence=f"{row}.sequence::text", way=f"'{way}'",
        paid_on=_DAY.format(paid_on), voucher=voucher, **tiers, total=_YUAN.format(total),
    )  # fmt: skip
    return f"""
SELECT {row}.institution_id, s.code AS scheme_code,
    row_number() OVER (ORDER BY {row}.collection_id, s.code, {row}.sequence) AS place, {told} AS body
FROM {of}
JOIN settlement_scheme s ON s.id = {row}.scheme_id
JOIN loans_note n ON n.id = {row}.note_id
JOIN loans_interestcollection x ON x.id = {row}.collection_id
JOIN kernel_institution i ON i.id = n.origin_id
WHERE {_HEARD.format(place=f"{row}.institution_id", scheme="s.code")}
"""


# What is paid out is told once the money has arrived. The rest is told when it is posted: what the
# enterprise has had off its interest, what is set off against its debts, what lowers its subsidy.
_NETTED = (
    _subsidies(
        "netted",
        of="""due d LEFT JOIN settlement_payout p ON p.collection_id = d.collection_id
    AND p.scheme_id = d.scheme_id AND p.sequence = d.sequence
CROSS JOIN LATERAL (SELECT d.central_fen - coalesce(p.central_fen, 0) AS central_fen,
    d.provincial_fen - coalesce(p.provincial_fen, 0) AS provincial_fen,
    d.municipal_fen - coalesce(p.municipal_fen, 0) AS municipal_fen) AS rest""",
        row="d",
        amounts="rest",
        paid_on="CASE WHEN d.sequence = 0 THEN d.collected_on ELSE %(posted_on)s END",
        voucher="''",
    )
    + " AND (rest.central_fen, rest.provincial_fen, rest.municipal_fen) <> (0, 0, 0)"
)
_PAID_OUT = (
    _subsidies(
        "paid_out",
        of="settlement_payoutresult o JOIN settlement_payoutattempt a ON a.id = o.attempt_id"
        " JOIN settlement_payout p ON p.id = a.payout_id",
        row="p",
        amounts="p",
        paid_on="o.paid_on",
        voucher="o.reference",
    )
    + " AND o.result = 'succeeded' AND a.id = ANY(%(attempts)s)"
)


def routes(*, topic: str, at: datetime) -> Routes | None:
    """For which institutions and schemes a system wants to hear of it; None: nobody does."""
    known = definitions()
    hearing = [
        system
        for system in ProvinceSystem.objects.filter(is_active=True, since__lte=at).select_related(
            "bound_to"
        )
        if system.definition not in known or topic in known[system.definition].push
    ]
    wanted = [
        (*(SCOPE_ALL if one.bound_to is None else one.bound_to.scope), scheme)
        for one in hearing
        for scheme in one.scheme_codes or [EVERY_SCHEME]
    ]
    if not wanted:
        return None
    los, his, schemes = map(list, zip(*wanted, strict=True))
    return {"los": los, "his": his, "schemes": schemes}


def facts_written(*, kind: str, at: datetime) -> None:
    """Tell of what a file has just written, while its stage is there: notes, and interest collected."""
    if kind == "notes":
        _emit(topic=NOTE, rows=_NOTES, at=at)
    elif kind == "interest-collections":
        _emit(topic=COLLECTION, rows=_COLLECTIONS, at=at)


def subsidies_posted(*, at: datetime) -> None:
    """Tell of what a chunk has just posted from its stage `due`, less what it made pay-outs of."""
    _emit(topic=SUBSIDY, rows=_NETTED, at=at, posted_on=at.date())


def payouts_succeeded(*, attempt_ids: Collection[int], at: datetime) -> None:
    """Tell of pay-outs of which the payment system has just said that they arrived."""
    if attempt_ids:
        _emit(topic=SUBSIDY, rows=_PAID_OUT, at=at, attempts=list(attempt_ids))


def _emit(*, topic: str, rows: str, at: datetime, **params: Any) -> None:
    wanted = routes(topic=topic, at=at)
    if wanted is not None:
        outbox.emit_rows(
            topic=topic, rows=rows, params={**wanted, **params}, rows_max=ROWS_MAX, at=at
        )
