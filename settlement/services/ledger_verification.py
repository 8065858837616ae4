"""Adding the ledger up again from its lines, and tying it to what it stands for (domain §5).

Every check returns lines that name the fund and the entry, month or row that does not agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from config.kernel.services import bulk

_FUND = (
    "(SELECT s.code || ' ' || i.code || ' ' || named.tier || ' ' || named.purpose"
    " FROM settlement_fund named JOIN settlement_scheme s ON s.id = named.scheme_id"
    " JOIN kernel_institution i ON i.id = named.institution_id WHERE named.id = {0})"
)
_ENTRIES = """
SELECT e.fund_id, e.number, e.id, e.chain, concat_ws('|', e.fund_id, e.number, e.event, e.posted_on,
    coalesce(e.month::text, ''), e.year, e.source, e.source_id, e.actor,
    (SELECT string_agg(l.account || ':' || l.debit_fen || ':' || l.credit_fen, ';' ORDER BY l.id)
     FROM settlement_ledgerline l WHERE l.entry_id = e.id))
FROM settlement_ledgerentry e ORDER BY e.fund_id, e.number
"""
_ACCOUNTS = (
    "special_account", "treasury_advance", "subsidy_applied", "bank_advance", "clawback_receivable",
    "disallowed",
)  # fmt: skip

# What must hold of the ledger: (what is wrong, query giving the places).
_RULES = (
    (
        "分录借贷不平 / entry does not balance",
        "SELECT '#' || e.id FROM settlement_ledgerentry e LEFT JOIN settlement_ledgerline l"
        " ON l.entry_id = e.id GROUP BY e.id"
        " HAVING count(l.id) < 2 OR sum(l.debit_fen) <> sum(l.credit_fen)",
    ),
    (
        "分录行没有分录 / line without its entry",
        "SELECT '#' || l.id FROM settlement_ledgerline l WHERE NOT EXISTS ("
        "SELECT 1 FROM settlement_ledgerentry e WHERE e.id = l.entry_id"
        " AND e.institution_id = l.institution_id)",
    ),
    *(
        (
            f"余额与分录合计不符 / balance differs from its lines: {account}",
            f"SELECT {_FUND.format('t.id')} || ': ' || t.{account}_fen || ' ≠ ' || coalesce(m.fen, 0)"
            " FROM settlement_fund t LEFT JOIN (SELECT e.fund_id, sum(l.debit_fen - l.credit_fen) AS fen"
            " FROM settlement_ledgerline l JOIN settlement_ledgerentry e ON e.id = l.entry_id"
            f" WHERE l.account = '{account}' GROUP BY 1) m ON m.fund_id = t.id"
            f" WHERE t.{account}_fen <> coalesce(m.fen, 0)",
        )
        for account in _ACCOUNTS
    ),
    (
        "预留与计划代付合计不符 / reserved differs from its planned deductions",
        f"SELECT {_FUND.format('t.id')} || ': ' || t.reserved_fen || ' ≠ ' || coalesce(p.fen, 0)"
        " FROM settlement_fund t LEFT JOIN (SELECT d.fund_institution_id, d.scheme_id, x.tier,"
        " sum(x.fen) AS fen FROM settlement_planneddeduction d CROSS JOIN LATERAL (VALUES"
        " ('central', d.central_reserved_fen), ('provincial', d.provincial_reserved_fen),"
        " ('municipal', d.municipal_reserved_fen)) AS x(tier, fen) GROUP BY 1, 2, 3) p"
        " ON p.fund_institution_id = t.institution_id AND p.scheme_id = t.scheme_id"
        " AND p.tier = t.tier AND t.purpose = 'interest'"
        " WHERE t.reserved_fen <> coalesce(p.fen, 0)",
    ),
    (
        "贴息明细与总账当月发生额不符 / deductions differ from the month's turnover",
        "SELECT coalesce("
        + _FUND.format("coalesce(d.fund_id, g.fund_id)")
        + ", '?') || ' ' || to_char(coalesce(d.month, g.month), 'YYYY-MM') || ': ' ||"
        " coalesce(d.fen, 0) || ' ≠ ' || coalesce(g.fen, 0) FROM ("
        " SELECT f.id AS fund_id, date_trunc('month', p.collected_on)::date AS month, sum(p.fen) AS fen"
        " FROM (SELECT d.fund_institution_id, d.scheme_id, t.tier, d.collected_on, t.fen"
        " FROM settlement_deduction d CROSS JOIN LATERAL (VALUES ('central', d.central_fen),"
        " ('provincial', d.provincial_fen), ('municipal', d.municipal_fen)) AS t(tier, fen)"
        " WHERE t.fen <> 0) p LEFT JOIN settlement_fund f ON f.scheme_id = p.scheme_id"
        " AND f.institution_id = p.fund_institution_id AND f.tier = p.tier AND f.purpose = 'interest'"
        " GROUP BY 1, 2) d FULL JOIN ("
        " SELECT e.fund_id, e.month, sum(l.debit_fen - l.credit_fen) AS fen"
        " FROM settlement_ledgerentry e JOIN settlement_ledgerline l ON l.entry_id = e.id"
        " JOIN settlement_fund f ON f.id = e.fund_id WHERE f.purpose = 'interest'"
        " AND e.event IN ('deduction', 'negative_difference') AND l.account = 'subsidy_applied'"
        " GROUP BY 1, 2) g ON g.fund_id = d.fund_id AND g.month = d.month"
        " WHERE coalesce(d.fen, 0) <> coalesce(g.fen, 0)",
    ),
    (
        "期初入账与分录不符 / what was taken over differs from its entries",
        "SELECT coalesce("
        + _FUND.format("coalesce(t.fund_id, g.fund_id)")
        + ", '?') || ' ' || coalesce(t.year, 0) || ': ' || coalesce(t.amount_fen, 0) || ' ≠ ' ||"
        " coalesce(g.fen, 0) FROM settlement_takenover t FULL JOIN ("
        " SELECT e.fund_id, e.source_id, sum(l.debit_fen - l.credit_fen) AS fen"
        " FROM settlement_ledgerentry e JOIN settlement_ledgerline l ON l.entry_id = e.id"
        " WHERE e.event = 'taken_over' AND l.account = 'subsidy_applied' GROUP BY 1, 2) g"
        " ON g.source_id = t.id AND g.fund_id = t.fund_id"
        " WHERE coalesce(t.amount_fen, 0) <> coalesce(g.fen, 0)",
    ),
    (
        "应收追回与追回明细不符 / clawbacks differ from what is receivable",
        f"SELECT {_FUND.format('f.id')} || ': ' || coalesce(c.fen, 0) || ' ≠ ' ||"
        " f.clawback_receivable_fen FROM settlement_fund f LEFT JOIN (SELECT fund_id, sum(amount_fen"
        " - received_fen - offset_fen - written_off_fen) AS fen FROM settlement_clawback"
        " WHERE state = 'decided' GROUP BY 1) c ON c.fund_id = f.id"
        " WHERE coalesce(c.fen, 0) <> f.clawback_receivable_fen",
    ),
    (
        "追回的累计与变动不符 / a clawback's sums differ from its movements",
        "SELECT '#' || c.id FROM settlement_clawback c LEFT JOIN settlement_clawbackmovement m"
        " ON m.clawback_id = c.id AND (m.kind = 'offset' OR m.checked_by IS NOT NULL)"
        " AND m.refused_why = '' GROUP BY c.id"
        " HAVING c.received_fen <> coalesce(sum(m.amount_fen) FILTER (WHERE m.kind = 'received'), 0)"
        " OR c.offset_fen <> coalesce(sum(m.amount_fen) FILTER (WHERE m.kind = 'offset'), 0)"
        " OR c.written_off_fen <>"
        " coalesce(sum(m.amount_fen) FILTER (WHERE m.kind = 'written_off'), 0)",
    ),
)


def verify_ledger() -> list[str]:
    """What does not agree: chain, numbers, balances, months, clawbacks; empty if all does."""
    found = [f"{wrong}: {place}" for wrong, query in _RULES for (place,) in bulk.rows(query)]
    return [*found, *_broken_chains()]


def _broken_chains() -> Iterator[str]:
    """Each entry's hash is redone from the entry before it; each fund's head is its last entry's."""
    heads = {
        fund_id: (name, count, bytes(chain))
        for fund_id, name, count, chain in bulk.rows(
            f"SELECT f.id, {_FUND.format('f.id')}, f.entries, f.chain FROM settlement_fund f"
        )
    }
    last: dict[int, tuple[int, bytes]] = {}
    for fund_id, number, entry_id, chain, text in bulk.rows(_ENTRIES):
        count, before = last.get(fund_id, (0, b""))
        link = hashlib.sha256(f"{before.hex()}|{text}".encode()).digest()
        if number != count + 1 or bytes(chain) != link:
            yield (
                f"分录链断裂 / the chain breaks at entry #{entry_id}: {heads[fund_id][0]} 第 {number} 号"
            )
        last[fund_id] = (number, bytes(chain))
    for fund_id, (name, count, chain) in heads.items():
        if last.get(fund_id, (0, b"")) != (count, chain):
            yield f"链头与最后分录不符 / head of the chain differs from its last entry: {name}"
