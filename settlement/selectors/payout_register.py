"""The file of one batch of pay-outs: only what does not change once the batch is made."""

from __future__ import annotations

from config.kernel.services.export import Field, Register

PAYOUT_BATCH = Register(
    name="payouts",
    title_zh="拨付批次",
    fields=(
        Field("payout", "拨付号", "int", "a.payout_id"),
        Field("attempt", "第几次", "int", "a.attempt"),
        Field("batch", "拨付批次", "int", "a.batch_id"),
        Field("due_on", "应拨付日", "date", "t.due_on"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("note_number", "借据号", "text", "n.note_number"),
        Field("enterprise", "企业名称", "text", "a.enterprise_name"),
        Field("uscc", "统一社会信用代码", "text", "a.uscc"),
        Field("account_name", "收款户名", "text", "a.account_name"),
        Field("account_number", "收款账号", "text", "a.account_number"),
        Field("bank_name", "开户行", "text", "a.bank_name"),
        Field("scheme_code", "贴息政策", "text", "s.code"),
        Field("amount", "金额", "amount", "a.amount_fen"),
        Field("central", "中央贴息", "amount", "t.central_fen"),
        Field("provincial", "省级贴息", "amount", "t.provincial_fen"),
        Field("municipal", "市级贴息", "amount", "t.municipal_fen"),
    ),
    source=(
        "settlement_payoutattempt a JOIN settlement_payout t ON t.id = a.payout_id "
        "JOIN settlement_scheme s ON s.id = t.scheme_id JOIN loans_note n ON n.id = t.note_id "
        "JOIN kernel_institution i ON i.id = n.origin_id"
    ),
    order="a.payout_id",
    scope="a.institution_id",
    filters={"batch": "a.batch_id = %(batch)s"},
    totals=("amount", "central", "provincial", "municipal"),
)
