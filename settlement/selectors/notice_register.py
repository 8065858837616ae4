"""Notices as an export: what each enterprise was told of, and the proof of it."""

from __future__ import annotations

from config.kernel.services.export import Field, Register

STATE = "coalesce(v.state, 'no_gateway')"
# The last attempt, whatever was asked for since.
_LAST = """LEFT JOIN LATERAL (
    SELECT r.* FROM settlement_noticerecord r WHERE r.notice_id = t.deduction_id AND r.outcome <> 'asked'
    ORDER BY r.id DESC LIMIT 1) r ON true"""

NOTICES = Register(
    name="notices",
    title_zh="企业告知",
    fields=(
        Field("notice", "告知号", "int", "t.deduction_id"),
        Field("scheme_code", "贴息政策", "text", "s.code"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("uscc", "统一社会信用代码", "text", "e.uscc"),
        Field("note_number", "借据号", "text", "n.note_number"),
        Field("collection_reference", "流水号", "text", "x.reference"),
        Field("collected_on", "收息日", "date", "d.collected_on"),
        Field("sequence", "序号(0=原始)", "int", "d.sequence"),
        Field("is_correction", "更正", "bool", "t.is_correction"),
        Field("central", "贴息-中央", "amount", "d.central_fen"),
        Field("provincial", "贴息-省级", "amount", "d.provincial_fen"),
        Field("municipal", "贴息-市级", "amount", "d.municipal_fen"),
        Field("state", "状态", "text", STATE),
        Field("attempts", "尝试次数", "int", "coalesce(v.attempts, 0)"),
        Field("channel", "渠道", "text", "coalesce(r.channel, '')"),
        Field("address", "地址(掩码)", "text", "coalesce(r.address, '')"),
        Field("gateway", "网关", "text", "coalesce(r.gateway, '')"),
        Field("message_id", "网关消息号", "text", "coalesce(r.message_id, '')"),
        Field("reference", "告知编号", "text", "coalesce(r.reference, '')"),
        Field("sent_on", "发送日", "date", "(r.at AT TIME ZONE 'Asia/Shanghai')::date"),
        Field("sha256", "内容摘要", "text", "coalesce(r.sha256, '')"),
        Field("detail", "说明", "text", "coalesce(r.detail, '')"),
    ),
    source=(
        "settlement_notice t JOIN settlement_deduction d ON d.id = t.deduction_id "
        "JOIN loans_interestcollection x ON x.id = d.collection_id "
        "JOIN settlement_scheme s ON s.id = t.scheme_id JOIN loans_note n ON n.id = t.note_id "
        "JOIN kernel_institution i ON i.id = n.origin_id "
        "JOIN loans_contract c ON c.id = n.contract_id JOIN loans_enterprise e ON e.id = c.enterprise_id "
        f"LEFT JOIN settlement_noticedelivery v ON v.notice_id = t.deduction_id {_LAST}"
    ),
    order="t.deduction_id",
    scope="t.institution_id",
    filters={
        "scheme": "s.code = %(scheme)s",
        "since": "d.collected_on >= %(since)s",
        "until": "d.collected_on <= %(until)s",
    },
    totals=("central", "provincial", "municipal"),
)
