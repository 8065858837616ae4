"""Lists of guarantee fees, compensations, syndicates, committed funds and findings, as they are exported.

Rows that add up several banks (no institution code) are seen by whoever sees everything; beside them
stands one row per bank, which its head office sees.
"""

from __future__ import annotations

from config.kernel.services.export import Field, Register
from settlement.engine.codes import CUT_REASONS, PPM_ONE
from settlement.engine.compensation import GUARANTOR_PPM, STOP_ABOVE_PPM
from settlement.selectors.exchange import EXCHANGE
from settlement.selectors.findings import FINDINGS
from settlement.selectors.notice_register import NOTICES
from settlement.selectors.papers import MISSING_REGISTER, PAPER_REGISTER

_TIERS = ("central", "provincial", "municipal")
_TIER_NAMES = dict(zip(_TIERS, ("中央", "省级", "市级"), strict=True))
_OF_NOTE = (
    "JOIN loans_note n ON n.id = t.note_id JOIN kernel_institution i ON i.id = n.origin_id "
    "JOIN loans_contract c ON c.id = n.contract_id JOIN loans_enterprise e ON e.id = c.enterprise_id"
)
_OF_BANK = "JOIN kernel_institution r ON r.parent_id IS NULL AND n.institution_id BETWEEN r.id AND r.last_id"
_WHOLE = "coalesce(t.bank_id, 0)"  # 0 lies in the scope of whoever sees everything, and in no other

CLAWBACK_LAPSES = Register(
    name="clawback-lapses",
    title_zh="追回并入差额",
    fields=(
        Field("lapse", "序号", "int", "t.id"),
        Field("scheme_code", "贴息政策", "text", "s.code"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("uscc", "统一社会信用代码", "text", "e.uscc"),
        Field("note_number", "借据号", "text", "n.note_number"),
        Field("tier", "资金层级", "text", "f.tier"),
        Field("purpose", "用途", "text", "f.purpose"),
        Field("year", "收息年度", "int", "t.year"),
        Field("amount", "并入差额", "amount", "t.amount_fen"),
        Field("settled", "其中追回已结算年度", "amount", "t.settled_fen"),
        Field("posted_on", "入账日", "date", "t.posted_on"),
        Field("actor", "经办", "text", "t.actor"),
    ),
    source=(
        "settlement_clawbacklapse t JOIN settlement_fund f ON f.id = t.fund_id "
        f"JOIN settlement_scheme s ON s.id = f.scheme_id {_OF_NOTE}"
    ),
    order="t.id",
    scope="t.institution_id",
    filters={
        "scheme": "s.code = %(scheme)s",
        "since": "t.posted_on >= %(since)s",
        "until": "t.posted_on <= %(until)s",
    },
    totals=("amount", "settled"),
)

GUARANTEE_POSTINGS = Register(
    name="guarantee-postings",
    title_zh="担保费补贴入账明细",
    fields=(
        Field("scheme_code", "贴息政策", "text", "s.code"),
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("note_number", "借据号", "text", "n.note_number"),
        Field("guarantee_number", "担保合同号", "text", "g.guarantee_number"),
        Field("uscc", "统一社会信用代码", "text", "e.uscc"),
        Field("sequence", "序号(0=原始)", "int", "t.sequence"),
        Field("month", "收费月份", "month", "t.month"),
        Field("posted_on", "入账日", "date", "t.posted_on"),
        Field("tier", "资金层级", "text", "f.tier"),
        Field("amount", "入账金额", "amount", "t.amount_fen"),
        Field("posting", "入账号", "int", "t.id"),
        Field("actor", "经办", "text", "t.actor"),
    ),
    source=(
        "settlement_guaranteeposting t JOIN settlement_fund f ON f.id = t.fund_id "
        "JOIN settlement_scheme s ON s.id = t.scheme_id "
        f"JOIN loans_guarantee g ON g.id = t.guarantee_id {_OF_NOTE}"
    ),
    order="t.id",
    scope="t.institution_id",
    filters={
        "scheme": "s.code = %(scheme)s",
        "since": "t.posted_on >= %(since)s",
        "until": "t.posted_on <= %(until)s",
    },
    totals=("amount",),
)

# Each participant gets the floor of its part, the agent what is left (`engine.syndicate.split`).
_NET = f"""(
    SELECT collection_id, scheme_id, note_id, institution_id, collected_on,
        {", ".join(f"sum({tier}_fen) AS {tier}_fen" for tier in _TIERS)}
    FROM settlement_deduction GROUP BY 1, 2, 3, 4, 5
) t"""
_PARTS = f"""
    SELECT p.bank_id, p.is_agent,
        CASE WHEN p.is_agent THEN {
    PPM_ONE
} - sum(p.share_ppm) OVER () ELSE p.share_ppm END AS share_ppm,
        {
    ", ".join(
        f"CASE WHEN p.is_agent THEN t.{tier}_fen - sum(p.{tier}_fen) OVER () ELSE p.{tier}_fen END"
        f" AS {tier}_fen"
        for tier in _TIERS
    )
}
    FROM (
        SELECT y.participant_id AS bank_id, false AS is_agent, y.share_ppm,
            {
    ", ".join(f"div(t.{tier}_fen * y.share_ppm, {PPM_ONE}) AS {tier}_fen" for tier in _TIERS)
}
        FROM loans_syndicateshare y WHERE y.contract_id = c.id AND y.participant_id <> c.institution_id
        UNION ALL
        SELECT c.institution_id, true, 0, 0, 0, 0
        WHERE EXISTS (SELECT FROM loans_syndicateshare y WHERE y.contract_id = c.id)
    ) p
"""

SYNDICATE_SPLITS = Register(
    name="syndicate-splits",
    title_zh="银团贴息分配",
    fields=(
        Field("scheme_code", "贴息政策", "text", "s.code"),
        Field("institution_code", "代理行机构编码", "text", "i.code"),
        Field("contract_number", "合同号", "text", "c.contract_number"),
        Field("note_number", "借据号", "text", "n.note_number"),
        Field("collection_reference", "流水号", "text", "x.reference"),
        Field("collected_on", "收息日", "date", "t.collected_on"),
        Field("participant_code", "参贷行机构编码", "text", "b.code"),
        Field("is_agent", "是否代理行", "bool", "y.is_agent"),
        Field("share", "承贷份额(%)", "rate", "y.share_ppm"),
        *(Field(t, f"实际贴息-{name}", "amount", f"y.{t}_fen") for t, name in _TIER_NAMES.items()),
        Field("total", "实际贴息合计", "amount", " + ".join(f"y.{tier}_fen" for tier in _TIERS)),
    ),
    source=(
        f"{_NET} JOIN settlement_scheme s ON s.id = t.scheme_id {_OF_NOTE} "
        "JOIN loans_interestcollection x ON x.id = t.collection_id "
        f"JOIN LATERAL ({_PARTS}) y ON true JOIN kernel_institution b ON b.id = y.bank_id"
    ),
    order="t.collection_id, s.code, y.is_agent DESC, b.code",
    scope="t.institution_id",
    filters={
        "scheme": "s.code = %(scheme)s",
        "since": "t.collected_on >= %(since)s",
        "until": "t.collected_on <= %(until)s",
    },
    totals=(*_TIERS, "total"),
)

_GUARANTOR = (
    "(sign({0}) * div(abs({0})::numeric * "
    f"{2 * GUARANTOR_PPM} + {PPM_ONE}, {2 * PPM_ONE}))::bigint"
)
_GUARANTOR_SHARE = _GUARANTOR.format("t.unpaid_principal_fen")

COMPENSATION_SHARES = Register(
    name="compensation-shares",
    title_zh="代偿分担",
    fields=(
        Field("institution_code", "机构编码", "text", "i.code"),
        Field("note_number", "借据号", "text", "n.note_number"),
        Field("guarantee_number", "担保合同号", "text", "g.guarantee_number"),
        Field("guarantor", "担保机构", "text", "g.guarantor"),
        Field("uscc", "统一社会信用代码", "text", "e.uscc"),
        Field("paid_on", "代偿日期", "date", "t.paid_on"),
        Field("unpaid_principal", "未清偿本金", "amount", "t.unpaid_principal_fen"),
        Field("guarantor_share", "担保机构承担", "amount", _GUARANTOR_SHARE),
        Field("bank_share", "银行承担", "amount", f"t.unpaid_principal_fen - {_GUARANTOR_SHARE}"),
        Field("reference", "流水号", "text", "t.reference"),
    ),
    source=f"loans_compensation t JOIN loans_guarantee g ON g.id = t.guarantee_id {_OF_NOTE}",
    order="i.code, t.reference",
    scope="t.institution_id",
    filters={"since": "t.paid_on >= %(since)s", "until": "t.paid_on <= %(until)s"},
    totals=("unpaid_principal", "guarantor_share", "bank_share"),
)

# The scheme's guarantees: those judged to be its own, whether or not their fee is subsidised.
_WATCH = f"""(
    SELECT j.scheme_code, g.guarantor, r.id AS bank_id, count(*) AS guarantees,
        sum(g.principal_fen) AS guaranteed_fen, coalesce(sum(p.rows), 0) AS compensations,
        coalesce(sum(p.fen), 0) AS compensated_fen, coalesce(sum(p.guarantor_fen), 0) AS guarantor_fen
    FROM settlement_guaranteesubsidy j JOIN loans_guarantee g ON g.id = j.guarantee_id
    JOIN loans_note n ON n.id = g.note_id {_OF_BANK}
    LEFT JOIN (
        SELECT guarantee_id, count(*) AS rows, sum(unpaid_principal_fen) AS fen,
            sum({_GUARANTOR.format("unpaid_principal_fen")}) AS guarantor_fen
        FROM loans_compensation GROUP BY 1
    ) p ON p.guarantee_id = g.id
    WHERE j.status = 'eligible' OR j.reasons = '{{already_subsidised}}'
    GROUP BY GROUPING SETS ((j.scheme_code, g.guarantor, r.id), (j.scheme_code, g.guarantor))
) t"""

COMPENSATIONS_WATCH = Register(
    name="compensations-watch",
    title_zh="代偿率监测",
    fields=(
        Field("scheme_code", "贴息政策", "text", "t.scheme_code"),
        Field("institution_code", "银行(空=全部)", "text", "coalesce(i.code, '')"),
        Field("guarantor", "担保机构", "text", "t.guarantor"),
        Field("guarantees", "担保笔数", "int", "t.guarantees"),
        Field("guaranteed", "担保本金", "amount", "t.guaranteed_fen"),
        Field("compensations", "代偿笔数", "int", "t.compensations"),
        Field("compensated", "代偿本金", "amount", "t.compensated_fen"),
        Field("guarantor_share", "担保机构承担", "amount", "t.guarantor_fen"),
        Field("bank_share", "银行承担", "amount", "t.compensated_fen - t.guarantor_fen"),
        Field(
            "rate_ppm",
            "代偿率(百万分之一，舍尾)",
            "int",
            f"div(t.compensated_fen * {PPM_ONE}, t.guaranteed_fen)::bigint",
        ),
        Field("limit_ppm", "上限(百万分之一)", "int", str(STOP_ABOVE_PPM)),
        Field(
            "stopped",
            "停止代偿",
            "bool",
            f"t.compensated_fen * {PPM_ONE} > t.guaranteed_fen * {STOP_ABOVE_PPM}",
        ),
    ),
    source=f"{_WATCH} LEFT JOIN kernel_institution i ON i.id = t.bank_id",
    order="t.scheme_code, t.guarantor, i.code NULLS FIRST",
    scope=_WHOLE,
    filters={"scheme": "t.scheme_code = %(scheme)s"},
    condition="t.guaranteed_fen > 0",
)

# A note's term has ended once its borrower is brought up to date through its last subsidised day, or
# through the day on which it had repaid everything.
_COMMITTED = f"""(
    SELECT m.scheme_code, m.year, m.bank_id,
        count(*) FILTER (WHERE NOT m.is_refused) AS notes,
        count(*) FILTER (WHERE m.is_refused) AS refused,
        count(*) FILTER (WHERE m.has_ended) AS ended,
        coalesce(sum(m.commitment_fen), 0) AS committed_fen,
        sum(m.earned_fen) AS earned_fen, sum(m.opening_fen) AS opening_fen,
        coalesce(sum(m.commitment_fen - m.earned_fen - m.opening_fen)
            FILTER (WHERE m.has_ended), 0) AS released_fen
    FROM (
        SELECT e.scheme_code, extract(year FROM n.drawn_on)::integer AS year, r.id AS bank_id,
            e.status <> 'eligible' AS is_refused, e.commitment_fen,
            e.status = 'eligible' AND (
                least(n.matures_on, e.subsidised_until) <= b.through
                OR n.principal_fen <= (SELECT sum(y.amount_fen) FROM loans_repayment y
                    WHERE y.note_id = n.id AND y.repaid_on <= b.through)
            ) IS TRUE AS has_ended,
            coalesce((SELECT sum(d.central_fen + d.provincial_fen + d.municipal_fen)
                FROM settlement_deduction d WHERE d.note_id = n.id AND d.scheme_id = s.id), 0)
                AS earned_fen,
            coalesce((SELECT sum(o.amount_fen) FROM loans_openingposition o
                WHERE o.note_id = n.id AND o.scheme_code = e.scheme_code), 0) AS opening_fen
        FROM settlement_enrolment e JOIN settlement_scheme s ON s.code = e.scheme_code
        JOIN loans_note n ON n.id = e.note_id JOIN loans_contract c ON c.id = n.contract_id {_OF_BANK}
        LEFT JOIN settlement_enterpriseposting b ON b.enterprise_id = c.enterprise_id
        WHERE (e.status = 'eligible' AND e.commitment_fen IS NOT NULL)
            OR 'fund_exhausted' = ANY(e.reasons)
    ) m GROUP BY GROUPING SETS ((m.scheme_code, m.year, m.bank_id), (m.scheme_code, m.year))
    UNION ALL
    SELECT w.scheme_code, w.year, NULL, 0, 0, 0, 0, 0, 0, 0 FROM loans_schemefund w
    WHERE NOT EXISTS (SELECT FROM settlement_enrolment e JOIN loans_note n ON n.id = e.note_id
        WHERE e.scheme_code = w.scheme_code AND extract(year FROM n.drawn_on) = w.year
        AND ((e.status = 'eligible' AND e.commitment_fen IS NOT NULL)
            OR 'fund_exhausted' = ANY(e.reasons)))
) t"""

COMMITMENTS = Register(
    name="commitments",
    title_zh="年度资金占用",
    fields=(
        Field("scheme_code", "贴息政策", "text", "t.scheme_code"),
        Field("year", "放款年度", "int", "t.year"),
        Field("institution_code", "银行(空=全部)", "text", "coalesce(i.code, '')"),
        Field("fund", "年度资金", "amount", "f.amount_fen"),
        Field("notes", "占用笔数", "int", "t.notes"),
        Field("committed", "已占用", "amount", "t.committed_fen"),
        Field("refused", "资金不足未予认定笔数", "int", "t.refused"),
        Field("earned", "已贴息", "amount", "t.earned_fen"),
        Field("opening", "期初已贴息", "amount", "t.opening_fen"),
        Field("ended", "已结束笔数", "int", "t.ended"),
        Field("released", "结束后释放", "amount", "t.released_fen"),
        Field("free", "余额", "amount", "f.amount_fen - t.committed_fen + t.released_fen"),
    ),
    source=(
        f"{_COMMITTED} LEFT JOIN kernel_institution i ON i.id = t.bank_id "
        "LEFT JOIN loans_schemefund f ON f.scheme_code = t.scheme_code AND f.year = t.year "
        "AND t.bank_id IS NULL"
    ),
    order="t.scheme_code, t.year, i.code NULLS FIRST",
    scope=_WHOLE,
    filters={"scheme": "t.scheme_code = %(scheme)s"},
)

# A year's subsidies of enterprises that also got leasing interest subsidised; a collection is cut by the
# joint cap where the state of its last posting says so.
_JOINT = f"""(
    SELECT d.scheme_id, x.year, x.uscc, r.id AS bank_id, min(x.leasing_fen) AS leasing_fen,
        sum(d.fen) AS subsidy_fen,
        (SELECT sum(o.amount_fen) FROM loans_openingposition o JOIN loans_note n ON n.id = o.note_id
            JOIN loans_contract c ON c.id = n.contract_id
            JOIN loans_enterprise e ON e.id = c.enterprise_id
            JOIN settlement_scheme s ON s.code = o.scheme_code AND s.id = d.scheme_id
            WHERE e.uscc = x.uscc AND o.year = x.year
            AND (r.id IS NULL OR n.institution_id BETWEEN r.id AND min(r.last_id))) AS opening_fen,
        count(*) FILTER (WHERE d.is_cut) AS cut
    FROM (
        SELECT uscc, year, sum(amount_fen) AS leasing_fen FROM loans_externalsubsidy
        WHERE kind = 'leasing_interest' GROUP BY 1, 2
    ) x JOIN loans_enterprise e ON e.uscc = x.uscc JOIN loans_contract c ON c.enterprise_id = e.id
    JOIN loans_note n ON n.contract_id = c.id {_OF_BANK}
    JOIN LATERAL (
        SELECT p.scheme_id, sum(p.central_fen + p.provincial_fen + p.municipal_fen)::bigint AS fen,
            (array_agg(p.cut_reasons ORDER BY p.sequence DESC))[1]
                & {1 << CUT_REASONS.index("joint_cap")} <> 0 AS is_cut
        FROM settlement_deduction p
        WHERE p.note_id = n.id AND extract(year FROM p.collected_on) = x.year
        GROUP BY p.collection_id, p.scheme_id
    ) d ON true
    GROUP BY GROUPING SETS ((d.scheme_id, x.year, x.uscc, r.id), (d.scheme_id, x.year, x.uscc))
) t"""

JOINT_CAPS = Register(
    name="joint-caps",
    title_zh="与融资租赁贴息合并计算",
    fields=(
        Field("scheme_code", "贴息政策", "text", "s.code"),
        Field("year", "年度", "int", "t.year"),
        Field("institution_code", "银行(空=全部)", "text", "coalesce(i.code, '')"),
        Field("uscc", "统一社会信用代码", "text", "t.uscc"),
        Field("leasing", "融资租赁贴息", "amount", "t.leasing_fen"),
        Field("opening", "期初已贴息", "amount", "coalesce(t.opening_fen, 0)"),
        Field("subsidy", "本系统已贴息", "amount", "t.subsidy_fen"),
        Field(
            "together",
            "合计",
            "amount",
            "t.leasing_fen + coalesce(t.opening_fen, 0) + t.subsidy_fen",
        ),
        Field("cut", "因合并上限核减笔数", "int", "t.cut"),
    ),
    source=(
        f"{_JOINT} JOIN settlement_scheme s ON s.id = t.scheme_id "
        "LEFT JOIN kernel_institution i ON i.id = t.bank_id"
    ),
    order="s.code, t.year, t.uscc, i.code NULLS FIRST",
    scope=_WHOLE,
    filters={"scheme": "s.code = %(scheme)s"},
)

REGISTERS = {
    register.name: register
    for register in (
        CLAWBACK_LAPSES,
        GUARANTEE_POSTINGS,
        SYNDICATE_SPLITS,
        COMPENSATION_SHARES,
        COMPENSATIONS_WATCH,
        COMMITMENTS,
        JOINT_CAPS,
        FINDINGS,
        EXCHANGE,
        NOTICES,
        PAPER_REGISTER,
        MISSING_REGISTER,
    )
}
