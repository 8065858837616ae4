"""Bank statements of the special accounts against the ledger, worked out anew each time."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any, NamedTuple

from config.kernel.services.bulk import rows
from settlement.engine.reconciliation import Movement, Reconciled, StatementLine, reconcile


class AccountKey(NamedTuple):
    """A special account as the bank keeps it: scheme, institution and tier."""

    scheme_code: str
    institution_code: str
    tier: str


_WHERE = (
    "i.id BETWEEN %(lo)s AND %(hi)s AND (%(scheme)s::text IS NULL OR s.code = %(scheme)s)"
    " AND (%(through)s::date IS NULL OR {day} <= %(through)s)"
)
_LINES = (
    "SELECT s.code, i.code, b.tier, b.moved_on, b.reference, b.amount_fen, b.balance_fen, b.summary"
    " FROM loans_bankstatement b JOIN kernel_institution i ON i.id = b.institution_id"
    " JOIN settlement_scheme s ON s.code = b.scheme_code WHERE " + _WHERE.format(day="b.moved_on")
)
_MOVEMENTS = (
    "SELECT s.code, i.code, f.tier, e.posted_on, e.id, e.event,"
    " sum(l.debit_fen - l.credit_fen)::bigint, e.source"
    " FROM settlement_ledgerline l JOIN settlement_ledgerentry e ON e.id = l.entry_id"
    " JOIN settlement_fund f ON f.id = e.fund_id JOIN settlement_scheme s ON s.id = f.scheme_id"
    " JOIN kernel_institution i ON i.id = f.institution_id"
    " WHERE l.account = 'special_account' AND " + _WHERE.format(day="e.posted_on") + " GROUP BY"
    " s.code, i.code, f.tier, e.id HAVING sum(l.debit_fen - l.credit_fen) <> 0"
)


def reconcile_statements(
    *, scope: tuple[int, int], scheme: str | None = None, through: date | None = None
) -> dict[AccountKey, Reconciled]:
    """Each account's matches and differences, by account in order of scheme, institution and tier.

    Both sides are looked at up to `through` (blank: everything), in the institutions of `scope`. A
    fund without any statement line has its movements as differences.
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
    return {key: reconcile(lines[key], movements[key]) for key in sorted({*lines, *movements})}
