"""Judgements and deductions as exports (contract §4)."""

from __future__ import annotations

from config.kernel.services.export import TODAY, Field, Register
from loans.resources import REGISTERS as FACT_REGISTERS
from settlement.engine.codes import CUT_REASONS
from settlement.selectors.ageing import FUND_AGEING
from settlement.selectors.differences import RECONCILIATION
from settlement.selectors.payout_states import LATEST, OVERDUE, STATE
from settlement.selectors.payouts import AGREED
from settlement.selectors.registers import REGISTERS as MONEY_REGISTERS
from settlement.selectors.vouchers import VOUCHERS

_NOTE = (
    "JOIN loans_note n ON n.id = t.note_id JOIN kernel_institution i ON i.id = n.origin_id "
    "JOIN loans_contract c ON c.id = n.contract_id JOIN loans_enterprise e ON e.id = c.enterprise_id"
)
_MONEY = ("central_fen", "provincial_fen", "municipal_fen")
_CUT_REASONS = (
    "concat_ws(';', "
    + ", ".join(
        f"CASE WHEN t.cut_reasons & {1 << bit} <> 0 THEN '{reason}' END"
        for bit, reason in enumerate(CUT_REASONS)
    )
    + ")"
)
_RAW = "(t.raw_central_fen + t.raw_provincial_fen + t.raw_municipal_fen)"
_TOTAL = "(t.central_fen + t.provincial_fen + t.municipal_fen)"

# One row per collection × scheme: the last state, the sum of original and differences.
_NET = f"""(
    SELECT DISTINCT ON (d.collection_id, d.scheme_id)
        d.collection_id, d.scheme_id, d.note_id, d.institution_id, d.collected_on, d.version_id,
        d.sequence, d.days, d.product, d.raw_central_fen, d.raw_provincial_fen,
        d.raw_municipal_fen, d.cut_reasons,
        {", ".join(f"sum(d.{m}) OVER w AS {m}" for m in _MONEY)}
    FROM settlement_deduction d
    WINDOW w AS (PARTITION BY d.collection_id, d.scheme_id)
    ORDER BY d.collection_id, d.scheme_id, d.sequence DESC
) t"""

_SCHEME_FILTER = {"scheme": "s.code = %(scheme)s"}
_DAY_FILTERS = {"since": "t.collected_on >= %(since)s", "until": "t.collected_on <= %(until)s"}

_KEYS = (
    Field("scheme_code", "贴息政策", "text", "s.code"),
    Field("institution_code", "机构编码", "text", "i.code"),
    Field("uscc", "统一社会信用代码", "text", "e.uscc"),
    Field("contract_number", "合同号", "text", "c.contract_number"),
    Field("note_number", "借据号", "text", "n.note_number"),
    Field("collection_reference", "流水号", "text", "x.reference"),
    Field("period_start", "计息起日", "date", "x.period_start"),
    Field("period_end", "计息止日", "date", "x.period_end"),
)
_STATE = (
    Field("days", "实际付息天数", "int", "t.days"),
    Field("product", "积数(元·天)", "amount", "t.product"),
    Field("raw_central", "应贴息-中央", "amount", "t.raw_central_fen"),
    Field("raw_provincial", "应贴息-省级", "amount", "t.raw_provincial_fen"),
    Field("raw_municipal", "应贴息-市级", "amount", "t.raw_municipal_fen"),
)
_GRANTED = (
    Field("central", "实际贴息-中央", "amount", "t.central_fen"),
    Field("provincial", "实际贴息-省级", "amount", "t.provincial_fen"),
    Field("municipal", "实际贴息-市级", "amount", "t.municipal_fen"),
    Field("total", "实际贴息合计", "amount", _TOTAL),
)

DEDUCTIONS = Register(
    name="deductions",
    title_zh="贴息抵减明细",
    fields=(
        *_KEYS,
        *_STATE,
        *_GRANTED,
        Field("cut", "封顶核减", "amount", f"{_RAW} - {_TOTAL}"),
        Field("cut_reasons", "封顶原因", "text", _CUT_REASONS),
        Field("collected_on", "收息日", "date", "t.collected_on"),
        Field("interest_due", "应收利息", "amount", "x.interest_due_fen"),
        Field("interest_paid", "实收利息", "amount", "x.interest_paid_fen"),
        Field("differences", "差额笔数", "int", "t.sequence"),
        Field("scheme_version", "规则版本", "int", "v.version"),
    ),
    source=(
        f"{_NET} JOIN loans_interestcollection x ON x.id = t.collection_id "
        "JOIN settlement_scheme s ON s.id = t.scheme_id "
        f"JOIN settlement_schemeversion v ON v.id = t.version_id {_NOTE}"
    ),
    order="t.collection_id, s.code",
    scope="t.institution_id",
    filters={**_SCHEME_FILTER, **_DAY_FILTERS},
    condition="t.product > 0",
    totals=("central", "provincial", "municipal", "total", "cut"),
)

POSTINGS = Register(
    name="deduction-postings",
    title_zh="贴息入账明细",
    fields=(
        *_KEYS,
        Field("sequence", "序号(0=原始)", "int", "t.sequence"),
        Field("posted_on", "入账日", "date", "t.posted_on"),
        Field("run", "批次", "int", "t.run_id"),
        *_GRANTED,
        Field("why", "原因", "text", "t.why"),
        Field("collected_on", "收息日", "date", "t.collected_on"),
        *_STATE,
        Field("cut_reasons", "封顶原因", "text", _CUT_REASONS),
    ),
    source=(
        "settlement_deduction t JOIN loans_interestcollection x ON x.id = t.collection_id "
        f"JOIN settlement_scheme s ON s.id = t.scheme_id {_NOTE}"
    ),
    order="t.id",
    scope="t.institution_id",
    filters={**_SCHEME_FILTER, **_DAY_FILTERS},
    totals=("central", "provincial", "municipal", "total"),
)

ENROLMENTS = Register(
    name="enrolments",
    title_zh="贴息资格认定",
    fields=(
        Field("scheme_code", "贴息政策", "text", "t.scheme_code"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("note_number", "借据号", "text", "n.note_number"),
        Field("status", "认定结果", "text", "t.status"),
        Field("reasons", "原因", "text", "array_to_string(t.reasons, ';')"),
        Field("uscc", "统一社会信用代码", "text", "e.uscc"),
        Field("eligible_amount", "可贴息本金", "amount", "t.eligible_fen"),
        Field("commitment", "占用年度资金", "amount", "t.commitment_fen"),
        Field("subsidised_from", "贴息起日", "date", "t.subsidised_from"),
        Field("subsidised_until", "贴息止日", "date", "t.subsidised_until"),
        Field("scheme_version", "规则版本", "int", "v.version"),
    ),
    source=(
        f"settlement_enrolment t JOIN settlement_schemeversion v ON v.id = t.version_id {_NOTE}"
    ),
    order="t.scheme_code, i.code, n.note_number",
    scope="t.institution_id",
    filters={"scheme": "t.scheme_code = %(scheme)s"},
)

GUARANTEE_SUBSIDIES = Register(
    name="guarantee-subsidies",
    title_zh="担保费补贴",
    fields=(
        Field("scheme_code", "贴息政策", "text", "t.scheme_code"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("note_number", "借据号", "text", "n.note_number"),
        Field("guarantee_number", "担保合同号", "text", "g.guarantee_number"),
        Field("uscc", "统一社会信用代码", "text", "e.uscc"),
        Field("principal", "担保本金", "amount", "g.principal_fen"),
        Field("months", "补贴月数", "int", "t.months"),
        Field("subsidy", "担保费补贴", "amount", "t.subsidy_fen"),
        Field("status", "认定结果", "text", "t.status"),
        Field("reasons", "原因", "text", "array_to_string(t.reasons, ';')"),
    ),
    source=f"settlement_guaranteesubsidy t JOIN loans_guarantee g ON g.id = t.guarantee_id {_NOTE}",
    order="t.scheme_code, i.code, g.guarantee_number",
    scope="t.institution_id",
    filters={"scheme": "t.scheme_code = %(scheme)s"},
    totals=("subsidy",),
)

_OFFSET = "p.central_offset_fen + p.provincial_offset_fen + p.municipal_offset_fen"
_INSTRUCTED = f"""(
    SELECT p.collection_id, p.note_id, p.institution_id, max(p.plan_id) AS plan_id,
        min(p.interest_fen) AS interest_fen, sum(p.central_fen) AS central_fen,
        sum(p.provincial_fen) AS provincial_fen, sum(p.municipal_fen) AS municipal_fen,
        sum({_OFFSET}) AS offset_fen,
        coalesce(sum(p.central_fen + p.provincial_fen + p.municipal_fen - ({_OFFSET})) FILTER (WHERE
            {AGREED.format(note="p.note_id", scheme="s.code", day="x.collected_on")} IS NOT NULL), 0)
            AS paid_out_fen
    FROM settlement_planneddeduction p JOIN settlement_scheme s ON s.id = p.scheme_id
    JOIN loans_interestcollection x ON x.id = p.collection_id
    WHERE p.state IN ('reserved', 'posted')
    GROUP BY p.collection_id, p.note_id, p.institution_id
) t"""

INSTRUCTIONS = Register(
    name="instructions",
    title_zh="扣息指令",
    fields=(
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("note_number", "借据号", "text", "n.note_number"),
        Field("reference", "流水号", "text", "x.reference"),
        Field("collected_on", "结息日", "date", "x.collected_on"),
        Field("interest_due", "应收利息", "amount", "x.interest_due_fen"),
        Field("interest_open", "待收利息", "amount", "t.interest_fen"),
        *_GRANTED,
        Field("offset", "抵扣追回", "amount", "t.offset_fen"),
        Field(
            "net_to_collect",
            "应扣净额",
            "amount",
            f"t.interest_fen - {_TOTAL} + t.offset_fen + t.paid_out_fen",
        ),
        Field("paid_out", "另行拨付", "amount", "t.paid_out_fen"),
        Field("plan", "计划号", "int", "t.plan_id"),
    ),
    source=f"{_INSTRUCTED} JOIN loans_interestcollection x ON x.id = t.collection_id {_NOTE}",
    order="x.collected_on, i.code, n.note_number, x.reference",
    scope="t.institution_id",
    filters={"since": "x.collected_on >= %(since)s", "until": "x.collected_on <= %(until)s"},
    totals=("central", "provincial", "municipal", "total", "offset", "net_to_collect", "paid_out"),
)

PAYOUTS = Register(
    name="payouts",
    title_zh="直接拨付",
    fields=(
        Field("payout", "拨付号", "int", "t.id"),
        Field("due_on", "应拨付日", "date", "t.due_on"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("note_number", "借据号", "text", "n.note_number"),
        Field("reference", "流水号", "text", "x.reference"),
        Field("collected_on", "收息日", "date", "x.collected_on"),
        Field("uscc", "统一社会信用代码", "text", "e.uscc"),
        Field("account_name", "收款户名", "text", "a.account_name"),
        Field("account_number", "收款账号", "text", "a.account_number"),
        Field("bank_name", "开户行", "text", "a.bank_name"),
        Field("scheme_code", "贴息政策", "text", "s.code"),
        Field("sequence", "序次", "int", "t.sequence"),
        *_GRANTED,
        Field("offset", "已抵扣追回", "amount", "t.offset_fen"),
        Field("state", "状态", "text", STATE),
        Field("attempt", "第几次", "int", "coalesce(l.attempt, 0)"),
        Field("days_overdue", "逾期天数", "int", OVERDUE.format(today=TODAY)),
    ),
    source=(
        "settlement_payout t JOIN loans_interestcollection x ON x.id = t.collection_id "
        "JOIN settlement_scheme s ON s.id = t.scheme_id "
        f"JOIN loans_payoutagreement a ON a.id = t.agreement_id {_NOTE} {LATEST}"
    ),
    order="t.id",
    scope="t.institution_id",
    filters={
        **_SCHEME_FILTER,
        "since": "t.due_on >= %(since)s",
        "until": "t.due_on <= %(until)s",
    },
    totals=("central", "provincial", "municipal", "total", "offset"),
)

LEDGER = Register(
    name="ledger",
    title_zh="资金账",
    fields=(
        Field("entry_id", "分录号", "int", "e.id"),
        Field("posted_on", "入账日", "date", "e.posted_on"),
        Field("event", "事项", "text", "e.event"),
        Field("scheme_code", "贴息政策", "text", "s.code"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("tier", "资金层级", "text", "f.tier"),
        Field("account", "科目", "text", "t.account"),
        Field("debit", "借方", "amount", "t.debit_fen"),
        Field("credit", "贷方", "amount", "t.credit_fen"),
        Field("source", "来源", "text", "e.source"),
        Field("purpose", "用途", "text", "f.purpose"),
        Field("number", "本资金内编号", "int", "e.number"),
        Field("month", "收息月份", "month", "e.month"),
        Field("year", "所属年度", "int", "e.year"),
        Field("source_id", "来源序号", "int", "e.source_id"),
        Field("actor", "经办", "text", "e.actor"),
        Field("chain", "链值", "text", "encode(e.chain, 'hex')"),
    ),
    source=(
        "settlement_ledgerline t JOIN settlement_ledgerentry e ON e.id = t.entry_id "
        "JOIN settlement_fund f ON f.id = e.fund_id JOIN settlement_scheme s ON s.id = f.scheme_id "
        "JOIN kernel_institution i ON i.id = f.institution_id"
    ),
    order="t.id",
    scope="t.institution_id",
    filters={
        **_SCHEME_FILTER,
        "since": "e.posted_on >= %(since)s",
        "until": "e.posted_on <= %(until)s",
    },
    totals=("debit", "credit"),
)

CLAWBACKS = Register(
    name="clawbacks",
    title_zh="追回台账",
    fields=(
        Field("clawback", "追回号", "int", "t.id"),
        Field("scheme_code", "贴息政策", "text", "s.code"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("uscc", "统一社会信用代码", "text", "e.uscc"),
        Field("note_number", "借据号", "text", "n.note_number"),
        Field("tier", "资金层级", "text", "f.tier"),
        Field("year", "收息年度", "int", "t.year"),
        Field("origin", "起因", "text", "t.origin"),
        Field("state", "状态", "text", "t.state"),
        Field("amount", "应追回", "amount", "t.amount_fen"),
        Field("received", "已到账", "amount", "t.received_fen"),
        Field("offset", "已抵扣", "amount", "t.offset_fen"),
        Field("written_off", "已核销", "amount", "t.written_off_fen"),
        Field(
            "open",
            "尚欠",
            "amount",
            "CASE WHEN t.state = 'decided' THEN t.amount_fen - t.received_fen - t.offset_fen"
            " - t.written_off_fen ELSE 0 END",
        ),
        Field("why", "事由", "text", "t.why"),
        Field("document_number", "文号", "text", "t.document_number"),
        Field("made_by", "经办", "text", "t.made_by"),
        Field("checked_by", "复核", "text", "t.checked_by"),
    ),
    source=(
        "settlement_clawback t JOIN settlement_fund f ON f.id = t.fund_id "
        f"JOIN settlement_scheme s ON s.id = f.scheme_id {_NOTE}"
    ),
    order="t.id",
    scope="t.institution_id",
    filters=_SCHEME_FILTER,
    totals=("amount", "received", "offset", "written_off", "open"),
)

_ITEM_COLUMNS = (
    ("opening", "期初结余"),
    ("received", "收到预拨"),
    ("used", "代付贴息"),
    ("adjusted", "差额调减"),
    ("clawback_decided", "决定追回"),
    ("clawback_settled", "追回已结算年度"),
    ("clawed_back", "已追回"),
    ("written_off", "追回核销"),
    ("made_good", "银行补足"),
    ("returned", "已退回结余"),
    ("claimed", "申报结算"),
    ("approved", "认可"),
    ("disallowed", "核减"),
    ("surplus", "结余"),
    ("gap", "缺口"),
)

SETTLEMENTS = Register(
    name="settlements",
    title_zh="结算清算",
    fields=(
        Field("settlement", "结算序号", "int", "m.id"),
        Field("scheme_code", "贴息政策", "text", "s.code"),
        Field("institution_code", "资金机构编码", "text", "i.code"),
        Field("tier", "资金层级", "text", "f.tier"),
        Field("purpose", "用途", "text", "f.purpose"),
        Field("kind", "类别", "text", "m.kind"),
        Field("year", "年度", "int", "m.year"),
        Field("part", "期次", "int", "m.part"),
        Field("is_final", "年度末次", "bool", "m.is_final"),
        Field("state", "状态", "text", "m.state"),
        *(Field(key, title, "amount", f"t.{key}_fen") for key, title in _ITEM_COLUMNS),
        Field(
            "carry_over",
            "结转下期",
            "amount",
            "CASE WHEN m.kind = 'annual' THEN t.surplus_fen ELSE 0 END - t.gap_fen",
        ),
        Field("receivable", "期末应收追回", "amount", "t.receivable_fen"),
        Field("next_year_need", "下年需求", "amount", "t.next_year_need_fen"),
        Field("document_number", "批复文号", "text", "m.document_number"),
        Field("decided_on", "批复日期", "date", "m.decided_on"),
        Field("through_number", "截至分录", "int", "t.through_number"),
    ),
    source=(
        "settlement_settlementitem t JOIN settlement_settlement m ON m.id = t.settlement_id "
        "JOIN settlement_fund f ON f.id = t.fund_id JOIN settlement_scheme s ON s.id = m.scheme_id "
        "JOIN kernel_institution i ON i.id = t.institution_id"
    ),
    order="t.id",
    scope="t.institution_id",
    filters=_SCHEME_FILTER,
    condition="m.state <> 'withdrawn'",
    totals=("received", "used", "adjusted", "claimed", "approved", "disallowed"),
)

REGISTERS = {
    **FACT_REGISTERS,
    **MONEY_REGISTERS,
    **{
        r.name: r
        for r in (
            ENROLMENTS,
            DEDUCTIONS,
            POSTINGS,
            GUARANTEE_SUBSIDIES,
            LEDGER,
            CLAWBACKS,
            SETTLEMENTS,
            VOUCHERS,
            FUND_AGEING,
            INSTRUCTIONS,
            PAYOUTS,
            RECONCILIATION,
        )
    },
}
