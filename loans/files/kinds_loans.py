"""Kinds that say what was lent (contract §3)."""

import polars as pl

from loans.files.kind_columns import (
    CONTRACT,
    INSTITUTION,
    NOTE,
    USCC,
    after,
    amount,
    choice,
    day,
    name,
    rate,
    text,
)
from loans.files.kind_types import Check, Column, Kind
from loans.files.limits import MAX_AMOUNT_FEN
from loans.values.errors import bilingual
from loans.values.money import EXCHANGE_DECIMALS

LOAN_TYPES = {
    "fixed_asset": "固定资产贷款",
    "project": "项目贷款",
    "working_capital": "流动资金贷款",
    "policy_instrument": "新型政策性金融工具",
    "tech_innovation": "科技创新类贷款",
}
NOTE_STATUS_WORDS = {"overdue": "逾期", "extended": "展期", "non_performing": "不良"}
PAR_EXCHANGE_RATE = 10**EXCHANGE_DECIMALS

CONTRACTS = Kind(
    name="contracts",
    title_zh="合同",
    klass="loans",
    columns=(
        INSTITUTION,
        CONTRACT,
        USCC,
        day("signed_on", "签订日期"),
        choice("loan_type", "贷款类型", LOAN_TYPES),
        amount("amount", "合同金额"),
        Column("currency", "币种", "currency", required=False, default="CNY"),
        name("purpose_field", "投向领域"),
        text("project_code", "项目代码", required=False),
    ),
    key=("institution_code", "contract_number"),
)

NOTES = Kind(
    name="notes",
    title_zh="借据",
    klass="loans",
    columns=(
        INSTITUTION,
        NOTE,
        CONTRACT,
        day("drawn_on", "放款日期"),
        day("matures_on", "到期日期"),
        amount("principal", "放款金额"),
        amount(
            "equipment_amount",
            "设备购置金额",
            required=False,
            sign="non_negative",
            default=0,
        ),
        rate("annual_rate", "年利率(%)"),
        Column(
            "exchange_rate",
            "折算汇率",
            "exchange_rate",
            required=False,
            default=PAR_EXCHANGE_RATE,
        ),
        Column("scheme_codes", "贴息政策", "scheme_codes", required=False, default=()),
    ),
    key=("institution_code", "note_number"),
    checks=(
        after(
            "matures_on",
            "drawn_on",
            "到期日期不晚于放款日期",
            "maturity is not after the drawdown (drawn_on)",
        ),
        Check(
            "equipment_amount",
            bilingual(
                "设备购置金额大于放款金额",
                "the equipment amount is above the principal",
            ),
            pl.col("equipment_amount") > pl.col("principal"),
        ),
        Check(
            "exchange_rate",
            bilingual(
                "按此汇率折算的放款金额超过上限，请核对汇率",
                "the principal at this rate is above the largest amount: check the rate",
            ),
            pl.col("principal").cast(pl.Int128) * pl.col("exchange_rate").cast(pl.Int128)
            > MAX_AMOUNT_FEN * PAR_EXCHANGE_RATE,
        ),
    ),
)

NOTE_STATUSES = Kind(
    name="note-statuses",
    title_zh="借据状态",
    klass="loans",
    columns=(
        INSTITUTION,
        NOTE,
        choice("status", "状态", NOTE_STATUS_WORDS),
        day("starts_on", "起始日"),
        day("ends_on", "结束日", required=False),
    ),
    key=("institution_code", "note_number", "status", "starts_on"),
    checks=(
        after(
            "ends_on",
            "starts_on",
            "结束日不晚于起始日",
            "the end is not after the start",
        ),
    ),
)

EQUIPMENT_INVOICES = Kind(
    name="equipment-invoices",
    title_zh="设备发票",
    klass="loans",
    columns=(
        INSTITUTION,
        NOTE,
        text("invoice_number", "发票号码"),
        day("issued_on", "开票日期"),
        amount("amount", "金额"),
        text("serial_number", "设备编号", required=False),
        name("supplier", "供应商", required=False),
    ),
    key=("institution_code", "note_number", "invoice_number", "serial_number"),
)
