"""Accounting vouchers of each month, for the bank's general ledger; totals tie to the ledger's turnover."""

from __future__ import annotations

from typing import Any

from django.utils.translation import override

from config.kernel.services.export import Field, Register
from settlement.models import Account, Event


def _named(column: str, choices: list[tuple[str, Any]]) -> str:
    """SQL of a code's Chinese name; labels are written in Chinese in the sources."""
    with override("zh-hans"):
        cases = " ".join(f"WHEN '{code}' THEN '{label}'" for code, label in choices)
    return f"CASE t.{column} {cases} END"


# One row per month of posting × fund × event × account: whole months, whatever days are asked for.
_VOUCHERS = """(
    SELECT f.institution_id, f.scheme_id, f.id AS fund_id, f.tier, f.purpose, e.event, l.account,
        date_trunc('month', e.posted_on)::date AS month, count(DISTINCT e.id) AS entries,
        sum(l.debit_fen)::bigint AS debit_fen, sum(l.credit_fen)::bigint AS credit_fen
    FROM settlement_ledgerline l JOIN settlement_ledgerentry e ON e.id = l.entry_id
    JOIN settlement_fund f ON f.id = e.fund_id
    GROUP BY f.id, e.event, l.account, date_trunc('month', e.posted_on)
) t"""

VOUCHERS = Register(
    name="vouchers",
    title_zh="记账凭证",
    fields=(
        Field(
            "voucher_number",
            "凭证号",
            "text",
            "to_char(t.month, 'YYYYMM') || '-' || t.fund_id || '-' || t.event",
        ),
        Field("month", "月份", "month", "t.month"),
        Field("scheme_code", "贴息政策", "text", "s.code"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("tier", "资金层级", "text", "t.tier"),
        Field("purpose", "用途", "text", "t.purpose"),
        Field("event", "事项", "text", "t.event"),
        Field("account", "科目", "text", "t.account"),
        Field("account_name", "科目名称", "text", _named("account", Account.choices)),
        Field("summary", "摘要", "text", f"s.name || ' ' || {_named('event', Event.choices)}"),
        Field("entries", "分录数", "int", "t.entries"),
        Field("debit", "借方", "amount", "t.debit_fen"),
        Field("credit", "贷方", "amount", "t.credit_fen"),
    ),
    source=(
        f"{_VOUCHERS} JOIN settlement_scheme s ON s.id = t.scheme_id "
        "JOIN kernel_institution i ON i.id = t.institution_id"
    ),
    order="t.month, t.fund_id, t.event, t.account",
    scope="t.institution_id",
    filters={
        "scheme": "s.code = %(scheme)s",
        "since": "t.month >= date_trunc('month', %(since)s::date)",
        "until": "t.month <= %(until)s",
    },
    totals=("debit", "credit"),
)
