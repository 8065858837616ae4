"""Where enterprises are told what was paid for them: the bank's own customer data (SME-14, EQ-11)."""

import polars as pl

from loans.files.kind_columns import INSTITUTION, USCC, choice, name, text
from loans.files.kind_types import Check, Column, Kind
from loans.files.kinds_reference import YES_NO
from loans.values.contacts import APP_USER, CHANNELS, EMAIL, MOBILE
from loans.values.errors import bilingual


def _wrong(channel: str, pattern: str, zh: str, en: str) -> Check:
    is_wrong = (pl.col("channel") == channel) & ~pl.col("address").str.contains(pattern)
    return Check("address", bilingual(zh, en), is_wrong)


ENTERPRISE_CONTACTS = Kind(
    name="enterprise-contacts",
    title_zh="企业联系方式",
    klass="reference",
    columns=(
        INSTITUTION,
        USCC,
        choice("channel", "告知渠道", CHANNELS),
        text("address", "联系地址"),
        name("name", "联系人", required=False),
        Column("in_use", "是否启用", "bool", required=False, choices=YES_NO, default=True),
    ),
    key=("institution_code", "uscc", "channel"),
    checks=(
        _wrong(
            "sms",
            MOBILE,
            "短信须为手机号码，如 13800000000 或 +85291234567",
            "a text message needs a mobile number, such as 13800000000 or +85291234567",
        ),
        _wrong("app", APP_USER, "APP 用户号不能含空格", "a user of the app has no blanks"),
        _wrong("email", EMAIL, "不是电子邮箱地址", "not an e-mail address"),
    ),
)
