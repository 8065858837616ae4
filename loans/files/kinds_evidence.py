"""Kinds that are evidence: never corrected, only reversed and entered again (contract §3)."""

import polars as pl

from loans.files.kind_columns import (
    DOCUMENT,
    INSTITUTION,
    NOTE,
    REFERENCE,
    SCHEME,
    TIER,
    USCC,
    YEAR,
    after,
    amount,
    choice,
    day,
    name,
    text,
)
from loans.files.kind_types import Check, Column, Kind
from loans.files.limits import MAX_PERIOD_DAYS
from loans.values.errors import bilingual

SUBSIDY_KINDS = {
    "loan_interest": "贷款贴息",
    "leasing_interest": "融资租赁贴息",
    "grant": "奖补",
}
PURPOSES = {"interest": "贷款贴息", "guarantee_fee": "担保费补贴"}
REVIEW_RESULTS_WORDS = {
    "approved": "通过",
    "rejected": "不予贴息",
    "disallowed": "核减",
}

REPAYMENTS = Kind(
    name="repayments",
    title_zh="还本",
    klass="evidence",
    columns=(
        INSTITUTION,
        NOTE,
        day("repaid_on", "还本日期"),
        amount("amount", "还本金额", sign="signed_non_zero"),
        REFERENCE,
    ),
    key=("institution_code", "reference"),
)

INTEREST_COLLECTIONS = Kind(
    name="interest-collections",
    title_zh="收息",
    klass="evidence",
    columns=(
        INSTITUTION,
        NOTE,
        day("period_start", "计息起日"),
        day("period_end", "计息止日"),
        amount("interest_due", "应收利息", sign="non_negative"),
        amount("interest_paid", "实收利息", required=False, sign="signed"),
        day("collected_on", "收息日"),
        REFERENCE,
    ),
    key=("institution_code", "reference"),
    checks=(
        after(
            "period_end",
            "period_start",
            "计息止日不晚于计息起日",
            "the period's end is not after its start (period_start)",
        ),
        Check(
            "period_end",
            bilingual(
                f"计息期超过 {MAX_PERIOD_DAYS} 天，请核对年份",
                f"the period is longer than {MAX_PERIOD_DAYS} days: check the year",
            ),
            (pl.col("period_end") - pl.col("period_start")).dt.total_days() > MAX_PERIOD_DAYS,
        ),
        Check(
            "interest_paid",
            bilingual("实收利息大于应收利息", "the interest paid is above the interest due"),
            pl.col("interest_paid").abs() > pl.col("interest_due"),
        ),
    ),
)

EXTERNAL_SUBSIDIES = Kind(
    name="external-subsidies",
    title_zh="外部补贴",
    klass="evidence",
    columns=(
        name("source", "来源"),
        REFERENCE,
        USCC,
        choice("kind", "类别", SUBSIDY_KINDS),
        name("scheme_name", "政策名称"),
        Column(
            "institution_code",
            "机构编码",
            "institution_code",
            required=False,
            default="",
        ),
        text("note_number", "借据号", required=False),
        text("project_code", "项目代码", required=False),
        text("invoice_number", "发票号码", required=False),
        YEAR,
        amount("amount", "金额", sign="signed"),
    ),
    key=("source", "reference"),
)

PRE_ALLOCATIONS = Kind(
    name="pre-allocations",
    title_zh="预拨资金",
    klass="evidence",
    columns=(
        SCHEME,
        INSTITUTION,
        TIER,
        day("received_on", "到账日期"),
        amount("amount", "金额", sign="signed_non_zero"),
        DOCUMENT,
        Column("purpose", "用途", "choice", required=False, choices=PURPOSES, default="interest"),
    ),
    key=("scheme_code", "document_number", "institution_code", "tier", "purpose"),
)

REVIEW_RESULTS = Kind(
    name="review-results",
    title_zh="审核结果",
    klass="evidence",
    columns=(
        SCHEME,
        INSTITUTION,
        NOTE,
        Column("month", "月份", "month"),
        choice("result", "审核结果", REVIEW_RESULTS_WORDS),
        amount("amount", "核减金额", required=False),
        name("reason", "原因", required=False),
        DOCUMENT,
    ),
    key=("scheme_code", "institution_code", "note_number", "month", "document_number"),
    checks=(
        Check(
            "amount",
            bilingual("核减必须填写核减金额", "a disallowance needs its amount"),
            (pl.col("result") == "disallowed") & pl.col("amount").is_null(),
        ),
        Check(
            "amount",
            bilingual(
                "只有核减才填写核减金额",
                "only a disallowance (disallowed) has an amount",
            ),
            (pl.col("result") != "disallowed") & pl.col("amount").is_not_null(),
        ),
    ),
)

BANK_STATEMENTS = Kind(
    name="bank-statements",
    title_zh="银行流水",
    klass="evidence",
    columns=(
        INSTITUTION,
        SCHEME,
        TIER,
        day("moved_on", "记账日期"),
        amount("amount", "发生额", sign="signed"),
        amount("balance", "余额", sign="signed"),
        REFERENCE,
        name("summary", "摘要", required=False),
    ),
    key=("institution_code", "scheme_code", "tier", "reference"),
)

COMPENSATIONS = Kind(
    name="compensations",
    title_zh="代偿",
    klass="evidence",
    columns=(
        INSTITUTION,
        text("guarantee_number", "担保合同号"),
        day("paid_on", "代偿日期"),
        amount("unpaid_principal", "未清偿本金", sign="signed_non_zero"),
        REFERENCE,
    ),
    key=("institution_code", "reference"),
)
