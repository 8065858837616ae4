"""Bank statements of the special accounts against the ledger: the differences that are open."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import transaction

from config.kernel.services.bulk import rows
from settlement.engine.reconciliation import (
    Difference,
    Movement,
    Reconciled,
    StatementLine,
    reconcile,
)
from settlement.models import ReconciliationDifference
from settlement.selectors.differences import IS_EXPLAINED

RECONCILING_LOCK = 0x7265


class AccountKey(NamedTuple):
    """A special account as the bank keeps it: scheme, institution and tier."""

    scheme_code: str
    institution_code: str
    tier: str


class Known(NamedTuple):
    """An open difference on record, and whether two people have explained it."""

    id: int
    is_explained: bool


class Place(NamedTuple):
    """An account and a difference in it."""

    account: AccountKey
    difference: Difference


_WHERE = (
    "i.id BETWEEN %(lo)s AND %(hi)s AND (%(scheme)s::text IS NULL OR s.code = %(scheme)s)"
    " AND (%(through)s::date IS NULL OR {day} <= %(through)s)"
)
_LINES = (
    "SELECT s.code, i.code, b.tier, b.moved_on, b.reference, b.amount_fen, b.balance_fen, b.summary"
    " FROM loans_bankstatement b JOIN kernel_institution i ON i.id = b.institution_id"
    " JOIN settlement_scheme s ON s.code = b.scheme_code WHERE " + _WHERE.format(day="b.moved_on")
)
# What a clawback brought in is booked when checked; the bank's line bears its own day and reference.
_MOVEMENTS = (
    "SELECT s.code, i.code, f.tier, e.posted_on, e.id, e.event,"
    " sum(l.debit_fen - l.credit_fen)::bigint, coalesce(min(m.reference), e.source)"
    " FROM settlement_ledgerline l JOIN settlement_ledgerentry e ON e.id = l.entry_id"
    " LEFT JOIN settlement_clawbackmovement m"
    " ON e.event = 'clawback_received' AND m.id = e.source_id"
    " JOIN settlement_fund f ON f.id = e.fund_id JOIN settlement_scheme s ON s.id = f.scheme_id"
    " JOIN kernel_institution i ON i.id = f.institution_id"
    " WHERE l.account = 'special_account' AND " + _WHERE.format(day="e.posted_on") + " GROUP BY"
    " s.code, i.code, f.tier, e.id HAVING sum(l.debit_fen - l.credit_fen) <> 0"
)
_KNOWN = f"""
SELECT s.code, i.code, d.tier, d.reason, d.moved_on, d.key, d.amount_fen, d.id, {IS_EXPLAINED}
FROM settlement_reconciliationdifference d JOIN settlement_scheme s ON s.id = d.scheme_id
JOIN kernel_institution i ON i.id = d.institution_id
WHERE d.closed_at IS NULL AND i.id BETWEEN %(lo)s AND %(hi)s
    AND (%(scheme)s::text IS NULL OR s.code = %(scheme)s)
"""


def reconcile_statements(
    *, scope: tuple[int, int], scheme: str | None = None, through: date | None = None
) -> dict[AccountKey, Reconciled]:
    """Each account's matches and differences, by account in order of scheme, institution and tier.

    Both sides are looked at up to `through`, up to which statements are then said to be whole; without
    it, movements after an account's last line wait for the next statement.
    """
    params: dict[str, Any] = {
        "lo": scope[0], "hi": scope[1], "scheme": scheme, "through": through,
    }  # fmt: skip
    lines, movements = defaultdict(list), defaultdict(list)
    for *key, day, reference, amount, balance, summary in rows(_LINES, params):
        line = StatementLine(day, reference, amount, balance, summary)
        lines[AccountKey(*key)].append(line)
    for *key, day, entry, event, amount, source in rows(_MOVEMENTS, params):
        movements[AccountKey(*key)].append(Movement(day, entry, event, amount, source))
    return {
        key: reconcile(lines[key], movements[key], through=through)
        for key in sorted({*lines, *movements})
    }


def open_differences(*, scope: tuple[int, int], scheme: str | None = None) -> dict[Place, Known]:
    """The differences on record that were still there when last looked for."""
    params = {"lo": scope[0], "hi": scope[1], "scheme": scheme}
    return {
        Place(AccountKey(*key), Difference(reason, day, which, amount)): Known(pk, explained)
        for *key, reason, day, which, amount, pk, explained in rows(_KNOWN, params)
    }


@transaction.atomic
def record_differences(
    *, scope: tuple[int, int], at: datetime, scheme: str | None = None
) -> dict[AccountKey, Reconciled]:
    """Reconcile, put new differences on record and close those that are gone.

    A difference keeps its record, and what people said of it, as long as every run finds it; one that
    comes back is a new one. Runs go one after the other.
    """
    rows("SELECT pg_advisory_xact_lock(%s)", [RECONCILING_LOCK])
    found = reconcile_statements(scope=scope, scheme=scheme)
    places = {Place(key, one) for key, result in found.items() for one in result.differences}
    known = open_differences(scope=scope, scheme=scheme)
    gone = [known[place].id for place in known.keys() - places]
    ReconciliationDifference.objects.filter(pk__in=gone).update(closed_at=at)
    institutions = dict(rows("SELECT code, id FROM kernel_institution"))
    schemes = dict(rows("SELECT code, id FROM settlement_scheme"))
    new = sorted(
        places - known.keys(), key=lambda p: (p.account, p.difference.on, p.difference.key)
    )
    ReconciliationDifference.objects.bulk_create(
        ReconciliationDifference(
            institution_id=institutions[account.institution_code],
            scheme_id=schemes[account.scheme_code],
            tier=account.tier,
            reason=difference.reason,
            moved_on=difference.on,
            key=difference.key,
            amount_fen=difference.amount_fen,
            found_at=at,
        )
        for account, difference in new
    )
    return found
