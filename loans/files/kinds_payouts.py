"""What the payment system answers to pay-outs; settlement, whose attempts it names, takes it in."""

import polars as pl

from loans.files.kind_columns import REFERENCE, amount, choice, day, name, text
from loans.files.kind_types import Check, Kind
from loans.values.errors import bilingual

PAYOUT_RESULTS = Kind(
    name="payout-results",
    title_zh="拨付结果",
    klass="evidence",
    columns=(
        text("payout", "拨付号"),
        text("attempt", "第几次"),
        choice("result", "结果", {"succeeded": "成功", "failed": "失败"}),
        day("paid_on", "拨付日期"),
        REFERENCE,
        amount("amount", "金额"),
        name("reason", "失败原因", required=False),
    ),
    key=("payout", "attempt"),
    checks=(
        Check(
            "reason",
            bilingual("拨付失败须填写原因", "a failed pay-out needs its reason"),
            (pl.col("result") == "failed") & (pl.col("reason").fill_null("") == ""),
        ),
    ),
)
