"""The columns of the subsidy register (贴息明细台账), and the formulas that work its amounts out again."""

from __future__ import annotations

from reports.definitions.sheet import Column
from reports.definitions.words import TIERS, TIERS_ZH

HAS_FORMULA = "has_formula"
"""Whether a row's interest subsidy can be worked out from its own cells."""

# A hair above one half: takes a spreadsheet's binary error off exact halves. Rows that come nearer
# to the next fen than ten times this have no formula (`register_amounts`).
_HALF = "0.500001"
# Product in fen-days and rate in parts per million are whole numbers again before they meet.
_WHOLE = "ROUND({{product}}*100,0)*ROUND({{rate_{tier}}}*10000,0)/({{basis_days}}*1000000)"
_PERIOD = f"INT({_WHOLE}+{_HALF})/100"
_EARNED = "IF({{interest_due_fen}}=0,0,INT(" + _WHOLE + "*{{{paid}}}/{{interest_due_fen}}+" + _HALF
_EARNED += ")/100)"


# By the short numbers of 财金〔2026〕4号 and 2号, 苏财工贸〔2026〕7号, 苏体经〔2026〕1号.
_BORROWER = "4号 一(一)；7号 (一)；1号 一(一)"
_DRAWN = "4号 一(三)；2号 一；7号 (四)；1号 二(三)"
_CEILING = "1号 一(三)"
_BASE = "4号 一(三)；2号 一；7号 (三)1；1号 一(二)"
_RATE = "4号 一(三)；2号 一；7号 (三)1；1号 二(二)"
_PAID = "4号 二(二)；2号 七；7号 (九)；1号 二(四)"
_CAPS = "4号 一(三)；7号 (三)1、2；1号 一(二)、二(二)"
_TWICE = "4号 三(三)；2号 八；7号 (三)1；1号 二(二)"


PARTIES = (
    Column("number", "序号", "int"),
    Column("scheme_zh", "政策/文号", "text"),
    Column("scheme_code", "政策代码", "text", on_paper=False),
    Column("version", "规则版本", "int"),
    Column("institution_code", "机构编码", "text"),
    Column("institution_name", "行名", "text"),
    Column("borrower", "借款人", "text", _BORROWER),
    Column("uscc", "统一社会信用代码", "text"),
    Column("size", "企业规模", "text", _BORROWER),
    Column("ownership", "所有制", "text", _BORROWER),
    Column("industry_code", "行业代码", "text", _BORROWER),
    Column("region_code", "登记地", "text", _BORROWER),
    Column("project_code", "项目代码", "text"),
    Column("project_name", "项目", "text"),
)
LOAN = (
    Column("contract_number", "合同号", "text"),
    Column("note_number", "借据号", "text"),
    Column("drawn_on", "放款日", "date", _DRAWN),
    Column("matures_on", "到期日", "date"),
    Column("currency", "币种", "text"),
    Column("exchange_rate_e8", "折算率", "exchange"),
    Column("note_rate_ppm", "合同利率(%)", "rate", _CEILING),
    Column("lpr_ppm", "适用LPR(%)", "rate", _CEILING),
    Column("principal_fen", "放款金额(原币)", "yuan", _BASE),
    Column("eligible_fen", "可贴息本金", "yuan", _BASE),
)
INTEREST = (
    Column("period_start", "计息起日", "date"),
    Column("period_end", "计息止日(不含)", "date"),
    Column("days", "实际付息天数", "int", _RATE),
    Column("product", "积数(元·日)", "product", _RATE),
    Column("interest_due_fen", "应收利息", "yuan", _PAID),
    Column("interest_paid_fen", "实收利息", "yuan", _PAID),
    Column("collected_on", "收息日", "date", _PAID),
    Column("reference", "流水号", "text"),
    Column("paid_before_fen", "此前已收(计入应收以内)", "yuan", _PAID),
    Column("paid_to_date_fen", "累计已收(计入应收以内)", "yuan", _PAID),
)


def _tiers(
    key: str, title_zh: str, formula: str, *, total: bool = False, own: bool
) -> tuple[Column, ...]:
    """One column per tier; `own`: the formula holds only where the row can be worked out."""
    return tuple(
        Column(
            key.format(tier=tier),
            f"{title_zh}·{TIERS_ZH[tier]}",
            "yuan",
            article=_RATE if own else _PAID,
            total=total,
            formula=formula.format(tier=tier),
            formula_if=HAS_FORMULA if own else "",
        )
        for tier in TIERS
    )


RATES = (
    *(Column(f"rate_{tier}", f"贴息率·{TIERS_ZH[tier]}(%)", "rate", _RATE) for tier in TIERS),
    Column("basis_days", "天数基准", "int", _RATE),
)
EARNED = (
    *_tiers("whole_{tier}_fen", "全期应贴息", _PERIOD, own=True),
    *_tiers(
        "before_{tier}_fen", "此前已得", _EARNED.replace("{paid}", "paid_before_fen"), own=True
    ),
    *_tiers(
        "to_date_{tier}_fen", "累计应得", _EARNED.replace("{paid}", "paid_to_date_fen"), own=True
    ),
    *_tiers(
        "raw_{tier}_fen",
        "应贴息",
        "ROUND({{to_date_{tier}_fen}}-{{before_{tier}_fen}},2)",
        total=True,
        own=True,
    ),
)
GRANTED = (
    Column("cut_reasons", "封顶原因", "text", _CAPS),
    *(
        Column(f"cut_{tier}_fen", f"封顶金额·{TIERS_ZH[tier]}", "yuan", _CAPS, total=True)
        for tier in TIERS
    ),
    *_tiers(
        "{tier}_fen",
        "实际贴息",
        "ROUND({{raw_{tier}_fen}}-{{cut_{tier}_fen}},2)",
        total=True,
        own=False,
    ),
    Column(
        "total_fen",
        "实际贴息合计",
        "yuan",
        _PAID,
        total=True,
        formula="ROUND(" + "+".join(f"{{{tier}_fen}}" for tier in TIERS) + ",2)",
    ),
    Column("granted_fen", "本笔收息各项政策贴息合计", "yuan", _PAID),
    Column(
        "net_paid_fen",
        "企业实付",
        "yuan",
        _PAID,
        formula="ROUND({interest_paid_fen}-{granted_fen},2)",
    ),
)
STATE = (
    Column("state", "状态", "text"),
    Column("duplicates", "重复核查结果", "text", _TWICE),
    Column("remark", "公式说明", "text"),
)
REGISTER = (*PARTIES, *LOAN, *INTEREST, *RATES, *EARNED, *GRANTED, *STATE)
