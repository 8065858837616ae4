"""What another bank of the circle tells of its subsidised notes; settlement, which has ours, takes it in."""

import polars as pl

from loans.files.kind_columns import choice, day, text
from loans.files.kind_types import Check, Column, Kind
from loans.values.errors import bilingual

HASH = "^[0-9a-f]{64}$"

EXCHANGE = Kind(
    name="exchange",
    title_zh="跨行核查交换",
    klass="evidence",
    columns=(
        Column("bank_code", "来源银行", "institution_code"),
        text("key_id", "密钥编号"),
        day("made_on", "导出日"),
        choice(
            "kind",
            "类别",
            {
                "note": "借据", "contract": "合同", "invoice": "发票", "serial": "设备",
                "project": "项目", "uscc": "信用代码",
            },
        ),
        text("hash", "哈希值"),
        text("duty", "互斥组"),
        day("first_day", "贴息首日"),
        day("last_day", "贴息末日"),
    ),
    key=("kind", "hash", "duty", "first_day", "last_day"),
    checks=(
        Check(
            "hash",
            bilingual("须为 64 位小写十六进制数", "must be 64 lower-case hexadecimal digits"),
            ~pl.col("hash").str.contains(HASH),
        ),
        Check(
            "last_day",
            bilingual("贴息末日早于首日", "the last day is before the first"),
            pl.col("last_day") < pl.col("first_day"),
        ),
    ),
)  # fmt: skip
