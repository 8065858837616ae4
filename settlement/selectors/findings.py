"""Findings of the duplicate check: where each stands, those of given notes, and the list to take away."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from config.kernel.services.bulk import Schema, read_frame, rows
from config.kernel.services.export import Field, Register

# Clawbacks of a finding `f`, as one row `b`: what was asked back and what of it is still open.
OF_CLAWBACKS = """LEFT JOIN LATERAL (
    SELECT sum(k.amount_fen)::bigint AS asked_fen, sum(k.amount_fen - k.received_fen
        - k.offset_fen - k.written_off_fen)::bigint AS open_fen
    FROM settlement_clawback k
    WHERE k.origin = 'finding' AND k.origin_id = f.id AND k.state <> 'dismissed'
) b ON true"""

# open → confirmed / dismissed → clawback → recovered; the last two follow from the clawbacks.
STATE = """CASE WHEN f.state <> 'confirmed' OR b.asked_fen IS NULL THEN f.state
    WHEN b.open_fen = 0 THEN 'recovered' ELSE 'clawback' END"""

# Whether it keeps deductions waiting now (F5).
BLOCKS = "f.blocked_schemes <> '{}' AND f.gone_at IS NULL AND f.state <> 'dismissed'"


def blocked_fen(only: str = "true") -> str:
    """What the last run left out for a finding `f`; of what several block for the first, so that sums tie.

    `only`: a condition on the scheme `t`.
    """
    return f"""CASE WHEN {BLOCKS} THEN coalesce((
        SELECT sum(k.central_fen + k.provincial_fen + k.municipal_fen)::bigint
        FROM settlement_blockedsubsidy k JOIN settlement_findingside d ON d.note_id = k.note_id
        JOIN settlement_scheme t ON t.id = k.scheme_id
        WHERE d.finding_id = f.id AND (d.facts ->> 'yields')::boolean
            AND t.code = ANY(f.blocked_schemes) AND {only} AND NOT EXISTS (
                SELECT FROM settlement_finding g JOIN settlement_findingside h ON h.finding_id = g.id
                WHERE g.id < f.id AND h.note_id = k.note_id AND (h.facts ->> 'yields')::boolean
                    AND t.code = ANY(g.blocked_schemes)
                    AND g.gone_at IS NULL AND g.state <> 'dismissed')
        ), 0) ELSE 0 END"""


OF_NOTES: Schema = {
    "note_id": pl.Int64,
    "finding_id": pl.Int64,
    "rule": pl.String,
    "severity": pl.String,
    "article": pl.String,
    "state": pl.String,
    "central_fen": pl.Int64,
    "provincial_fen": pl.Int64,
    "municipal_fen": pl.Int64,
}


def of_notes(*, note_ids: Sequence[int] | None = None) -> pl.DataFrame:
    """Which findings concern these notes (None: any note), one row per note and finding?

    `state` is open, confirmed, dismissed, clawback or recovered; amounts are what is at stake in the
    whole finding, so a finding of two notes repeats them. Findings whose facts are gone are left out
    unless they were confirmed. Ordered by note and finding.
    """
    narrowed = "" if note_ids is None else " AND d.note_id = ANY(%(ids)s)"
    return read_frame(
        f"SELECT DISTINCT d.note_id, f.id, f.rule, f.severity, f.article, {STATE},"
        " f.central_fen, f.provincial_fen, f.municipal_fen"
        f" FROM settlement_findingside d JOIN settlement_finding f ON f.id = d.finding_id {OF_CLAWBACKS}"
        " WHERE d.note_id IS NOT NULL AND (f.gone_at IS NULL OR f.state = 'confirmed')"
        f"{narrowed} ORDER BY 1, 2",
        {} if note_ids is None else {"ids": list(note_ids)},
        schema=OF_NOTES,
    )


# What is known of another institution's side is not in the reader's list.
_SIDE = (
    "LEFT JOIN settlement_findingside {0} ON {0}.finding_id = f.id AND {0}.position = {1}"
    " AND {0}.institution_id BETWEEN %(lo)s AND %(hi)s"
    " LEFT JOIN loans_note n{1} ON n{1}.id = {0}.note_id"
    " LEFT JOIN kernel_institution i{1} ON i{1}.id = n{1}.origin_id"
)
_DAY = "(f.{} AT TIME ZONE 'Asia/Shanghai')::date"  # sessions run in UTC

FINDINGS = Register(
    name="findings",
    title_zh="重复贴息核查",
    fields=(
        Field("finding_id", "事项编号", "int", "f.id"),
        Field("rule", "规则", "text", "f.rule"),
        Field("severity", "程度", "text", "f.severity"),
        Field("blocks", "暂停贴息", "bool", BLOCKS),
        Field(
            "blocked_schemes",
            "暂停贴息的政策",
            "text",
            "array_to_string(f.blocked_schemes, ';')",
        ),
        Field("blocked_amount", "暂停金额", "amount", blocked_fen()),
        Field("article", "依据条款", "text", "f.article"),
        Field("state", "状态", "text", STATE),
        Field("scheme_code", "应退政策", "text", "coalesce(s.code, '')"),
        Field("uscc", "应退企业", "text", "coalesce(e.uscc, '')"),
        Field("institution_code", "所属机构编码", "text", "i.code"),
        Field("first_institution_code", "一方机构编码", "text", "coalesce(i1.code, '')"),
        Field("first_note_number", "一方借据号", "text", "coalesce(n1.note_number, '')"),
        Field("second_institution_code", "另一方机构编码", "text", "coalesce(i2.code, '')"),
        Field("second_note_number", "另一方借据号", "text", "coalesce(n2.note_number, '')"),
        Field(
            "sides",
            "涉及方数",
            "int",
            "(SELECT count(*) FROM settlement_findingside x WHERE x.finding_id = f.id)",
        ),
        Field("central", "涉及中央贴息", "amount", "f.central_fen"),
        Field("provincial", "涉及省级贴息", "amount", "f.provincial_fen"),
        Field("municipal", "涉及市级贴息", "amount", "f.municipal_fen"),
        Field("total", "涉及合计", "amount", "f.central_fen + f.provincial_fen + f.municipal_fen"),
        Field("asked_back", "已提出追回", "amount", "coalesce(b.asked_fen, 0)"),
        Field("still_owed", "尚未收回", "amount", "coalesce(b.open_fen, 0)"),
        Field("evidence", "证据", "text", "f.evidence::text"),
        Field("found_on", "发现日", "date", _DAY.format("found_at")),
        Field("changed_on", "证据变化日", "date", _DAY.format("changed_at")),
        Field("gone_on", "消除日", "date", _DAY.format("gone_at")),
        Field("why", "结论原因", "text", "coalesce(c.why, '')"),
        Field("made_by", "经办", "text", "coalesce(c.made_by, '')"),
        Field("checked_by", "复核", "text", "coalesce(c.checked_by, '')"),
    ),
    source=(
        "settlement_finding f JOIN kernel_institution i ON i.id = f.institution_id"
        " LEFT JOIN settlement_scheme s ON s.id = f.scheme_id"
        " LEFT JOIN loans_enterprise e ON e.id = f.enterprise_id"
        f" LEFT JOIN settlement_findingdecision c ON c.id = f.decision_id {OF_CLAWBACKS} "
        + " ".join(_SIDE.format(f"x{position}", position) for position in (1, 2))
    ),
    order="substr(f.rule, 2)::int, f.id",
    scope="f.institution_id",
    filters={"scheme": "s.code = %(scheme)s"},
    totals=("central", "provincial", "municipal", "total", "blocked_amount"),
)


def exchanged_with(*, bank_code: str) -> list[list[str]]:
    """Findings that another bank's exchange file gives: number, rule, own note, scheme, whom to ask."""
    found = rows(
        "SELECT f.id, f.rule, i.code, n.note_number, f.evidence ->> 'scheme'"
        " FROM settlement_finding f JOIN loans_note n ON n.id = f.note_id"
        " JOIN kernel_institution i ON i.id = n.origin_id"
        " WHERE f.gone_at IS NULL AND f.evidence ->> 'matched_by' LIKE 'exchange;%%'"
        " AND f.evidence -> 'ask' ->> 0 = %s ORDER BY 1",
        [bank_code],
    )
    return [
        [f"#{finding}", rule, f"{place}/{number}", scheme, bank_code]
        for finding, rule, place, number, scheme in found
    ]
