"""What notices say and whom they go to, for many at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from config.kernel.services.bulk import rows

# The name in force on the day of collection; before the first record, the first one (L6).
_NAME = """(
    SELECT r.name FROM loans_enterpriserecord r WHERE r.enterprise_id = c.enterprise_id
    ORDER BY r.valid_from <= d.collected_on DESC, abs(r.valid_from - d.collected_on) LIMIT 1)"""
_PAID_OUT = """EXISTS (
    SELECT FROM settlement_payout p WHERE p.collection_id = {0}.collection_id
        AND p.scheme_id = {0}.scheme_id AND p.sequence = {0}.sequence)"""
# What was netted from the collection by the time this was posted, under whichever policy.
_NETTED = f"""(
    SELECT coalesce(sum(o.central_fen + o.provincial_fen + o.municipal_fen), 0)
    FROM settlement_deduction o WHERE o.note_id = d.note_id AND o.collection_id = d.collection_id
        AND o.run_id <= d.run_id AND NOT {_PAID_OUT.format("o")})::bigint"""
_FACTS = f"""
SELECT d.id, b.name, coalesce({_NAME}, ''), n.note_number, d.version_id, x.period_start, x.period_end,
    x.interest_due_fen, x.interest_paid_fen, x.interest_paid_fen - {_NETTED}, d.central_fen, d.provincial_fen,
    d.municipal_fen, t.before_central_fen, t.before_provincial_fen, t.before_municipal_fen,
    {_PAID_OUT.format("d")}
FROM settlement_notice t JOIN settlement_deduction d ON d.id = t.deduction_id
JOIN loans_interestcollection x ON x.id = d.collection_id JOIN loans_note n ON n.id = d.note_id
JOIN loans_contract c ON c.id = n.contract_id
JOIN kernel_institution b ON b.parent_id IS NULL AND n.institution_id BETWEEN b.id AND b.last_id
WHERE t.deduction_id = ANY(%(notices)s)"""

# Whoever is nearest to the note knows best; then the channels as the installation prefers them.
_CONTACTS = """
SELECT DISTINCT ON (t.deduction_id) t.deduction_id, k.id, k.channel, k.address
FROM settlement_notice t JOIN loans_note n ON n.id = t.note_id
JOIN loans_contract c ON c.id = n.contract_id
JOIN loans_enterprisecontact k ON k.enterprise_id = c.enterprise_id AND k.in_use
JOIN kernel_institution i ON i.id = k.institution_id AND n.institution_id BETWEEN i.id AND i.last_id
WHERE t.deduction_id = ANY(%(notices)s) AND k.channel = ANY(%(channels)s)
ORDER BY t.deduction_id, i.id DESC, array_position(%(channels)s::text[], k.channel::text)"""


@dataclass(frozen=True)
class NoticeFacts:
    """What the text of one notice is made of; amounts in fen, (central, provincial, municipal)."""

    notice_id: int
    bank: str
    enterprise: str
    note_number: str
    version_id: int
    period: tuple[date, date]
    interest_fen: int
    paid_fen: int
    net_fen: int
    change: tuple[int, int, int]
    before: tuple[int, int, int] | None
    is_paid_out: bool


@dataclass(frozen=True)
class Contact:
    """Where a notice goes."""

    contact_id: int
    channel: str
    address: str


def notice_facts(*, notice_ids: Collection[int]) -> dict[int, NoticeFacts]:
    """What each of these notices says."""
    found = rows(_FACTS, {"notices": list(notice_ids)})
    return {row[0]: _facts(*row) for row in found}


def _facts(*row: Any) -> NoticeFacts:
    number, bank, name, note, version, start, end, interest, paid, net = row[:10]
    change, before, is_paid_out = row[10:13], row[13:16], row[16]
    return NoticeFacts(
        notice_id=number,
        bank=bank,
        enterprise=name,
        note_number=note,
        version_id=version,
        period=(start, end),
        interest_fen=interest,
        paid_fen=paid,
        net_fen=net,
        change=change,
        before=None if before[0] is None else before,
        is_paid_out=is_paid_out,
    )


def contacts(*, notice_ids: Collection[int], channels: Sequence[str]) -> dict[int, Contact]:
    """Where each of these notices goes, of channels in order of preference; those without one are left out."""
    found = rows(_CONTACTS, {"notices": list(notice_ids), "channels": list(channels)})
    return {number: Contact(*row) for number, *row in found}
