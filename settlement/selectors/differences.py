"""Differences between statement and ledger: where each stands, and the list auditors take away."""

from __future__ import annotations

from config.kernel.services.export import Field, Register
from settlement.engine.reconciliation import ON_STATEMENT

# Of the difference `d`.
IS_EXPLAINED = """EXISTS (SELECT FROM settlement_differenceexplanation x
    WHERE x.difference_id = d.id AND x.refused_why = '' AND x.checked_by IS NOT NULL)"""
_STATEMENT = ", ".join(f"'{reason}'" for reason in sorted(ON_STATEMENT))
_DAY = "(d.{} AT TIME ZONE 'Asia/Shanghai')::date"  # sessions run in UTC

RECONCILIATION = Register(
    name="reconciliation",
    title_zh="专户对账差异",
    fields=(
        Field("scheme_code", "贴息政策", "text", "s.code"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("tier", "资金层级", "text", "d.tier"),
        Field("reason", "差异", "text", "d.reason"),
        Field("moved_on", "日期", "date", "d.moved_on"),
        Field("key", "流水号或分录", "text", "d.key"),
        Field("amount", "金额", "amount", "d.amount_fen"),
        Field(
            "effect",
            "对银行减账面余额的影响",
            "amount",
            f"CASE WHEN d.reason IN ({_STATEMENT}) THEN d.amount_fen ELSE -d.amount_fen END",
        ),
        Field(
            "state",
            "状态",
            "text",
            "CASE WHEN d.closed_at IS NOT NULL THEN 'closed' WHEN x.checked_by IS NOT NULL"
            " THEN 'explained' WHEN x.id IS NOT NULL THEN 'proposed' ELSE 'open' END",
        ),
        Field("found_on", "发现日", "date", _DAY.format("found_at")),
        Field("closed_on", "消除日", "date", _DAY.format("closed_at")),
        Field("why", "说明", "text", "coalesce(x.why, '')"),
        Field("made_by", "经办", "text", "coalesce(x.made_by, '')"),
        Field("checked_by", "复核", "text", "coalesce(x.checked_by, '')"),
    ),
    source=(
        "settlement_reconciliationdifference d JOIN settlement_scheme s ON s.id = d.scheme_id"
        " JOIN kernel_institution i ON i.id = d.institution_id"
        " LEFT JOIN settlement_differenceexplanation x"
        " ON x.difference_id = d.id AND x.refused_why = ''"
    ),
    order="s.code, i.code, d.tier, d.moved_on, d.id",
    scope="d.institution_id",
    filters={
        "scheme": "s.code = %(scheme)s",
        "since": "d.moved_on >= %(since)s",
        "until": "d.moved_on <= %(until)s",
    },
    totals=("amount", "effect"),
)
