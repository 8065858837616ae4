"""How long has money been held unspent (audit pattern P12)? Receipts are used first in, first out."""

from __future__ import annotations

from config.kernel.services.export import TODAY, Field, Register

# Money that came into the special account, oldest first; what went out has used up the oldest, so
# that the unspent parts of a fund add up to the balance of its special account.
_RECEIPTS = f"""(
    SELECT r.*, greatest(0, least(r.amount_fen, r.so_far_fen - (r.in_all_fen - r.balance_fen)))
        AS unspent_fen, {TODAY} - r.received_on AS age_days
    FROM (
        SELECT f.institution_id, f.scheme_id, f.tier, f.purpose, e.number, e.event, e.source,
            coalesce(p.received_on, e.posted_on) AS received_on,
            l.debit_fen AS amount_fen, f.special_account_fen AS balance_fen,
            sum(l.debit_fen) OVER (PARTITION BY f.id) AS in_all_fen,
            sum(l.debit_fen) OVER (PARTITION BY f.id
                ORDER BY coalesce(p.received_on, e.posted_on), e.number) AS so_far_fen
        FROM settlement_ledgerline l JOIN settlement_ledgerentry e ON e.id = l.entry_id
        JOIN settlement_fund f ON f.id = e.fund_id
        LEFT JOIN loans_preallocation p ON e.event = 'pre_allocation' AND p.id = e.source_id
        WHERE l.account = 'special_account' AND l.debit_fen > 0
    ) r
) t"""

FUND_AGEING = Register(
    name="fund-ageing",
    title_zh="资金账龄",
    fields=(
        Field("scheme_code", "贴息政策", "text", "s.code"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("tier", "资金层级", "text", "t.tier"),
        Field("purpose", "用途", "text", "t.purpose"),
        Field("received_on", "到账日期", "date", "t.received_on"),
        Field("event", "事项", "text", "t.event"),
        Field("source", "来源", "text", "t.source"),
        Field("amount", "到账金额", "amount", "t.amount_fen"),
        Field("unspent", "未使用", "amount", "t.unspent_fen"),
        Field("days", "账龄(天)", "int", "t.age_days"),
        Field(
            "bucket",
            "账龄段",
            "text",
            "CASE WHEN t.age_days <= 30 THEN '0-30' WHEN t.age_days <= 90 THEN '31-90'"
            " WHEN t.age_days <= 180 THEN '91-180' ELSE '180+' END",
        ),
    ),
    source=(
        f"{_RECEIPTS} JOIN settlement_scheme s ON s.id = t.scheme_id "
        "JOIN kernel_institution i ON i.id = t.institution_id"
    ),
    order="s.code, i.code, t.tier, t.purpose, t.received_on, t.number",
    scope="t.institution_id",
    filters={"scheme": "s.code = %(scheme)s"},
    totals=("amount", "unspent"),
)
