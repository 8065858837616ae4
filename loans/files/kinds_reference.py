"""Kinds that say who and what there is (contract §3)."""

from datetime import date

import polars as pl

from loans.files.kind_columns import (
    CONTRACT,
    INSTITUTION,
    NOTE,
    SCHEME,
    TIER,
    USCC,
    YEAR,
    after,
    amount,
    choice,
    day,
    name,
    not_before,
    rate,
    text,
)
from loans.files.kind_types import Check, Column, Kind
from loans.values.errors import bilingual

ALWAYS = date(1, 1, 1)
"""The first day of an enterprise record without `valid_from`: in force always."""

LEVELS = {"headquarters": "总行", "provincial": "一级分行", "branch": "分支机构"}
SIZES = {"micro": "微型", "small": "小型", "medium": "中型", "large": "大型"}
OWNERSHIPS = {
    "private": "民营",
    "state": "国有",
    "collective": "集体",
    "foreign": "外资",
}
ENVIRONMENT_RATINGS = {
    "green": "绿",
    "blue": "蓝",
    "yellow": "黄",
    "red": "红",
    "black": "黑",
}
TAX_RATINGS = {grade: grade for grade in "ABMCD"}
YES_NO = {"yes": "是", "no": "否"}
TITLES = {"little_giant": "专精特新“小巨人”企业", "specialized": "专精特新中小企业"}

_LAST_DAY_BEFORE_FIRST = ("终止日早于起始日", "the last day is before the first")

INSTITUTIONS = Kind(
    name="institutions",
    title_zh="机构",
    klass="reference",
    columns=(
        INSTITUTION,
        name("name", "机构名称"),
        choice("level", "机构层级", LEVELS),
        Column(
            "parent_code",
            "上级机构编码",
            "institution_code",
            required=False,
            default="",
        ),
        Column("region_code", "行政区划代码", "region_code"),
    ),
    key=("institution_code",),
    checks=(
        Check(
            "parent_code",
            bilingual("机构不能是自己的上级", "an institution cannot be its own parent"),
            pl.col("parent_code") == pl.col("institution_code"),
        ),
    ),
)

PARTICIPATIONS = Kind(
    name="participations",
    title_zh="合作银行",
    klass="reference",
    columns=(
        SCHEME,
        INSTITUTION,
        day("valid_from", "合作起始日"),
        day("valid_to", "合作终止日", required=False),
    ),
    key=("scheme_code", "institution_code", "valid_from"),
    checks=(not_before("valid_to", "valid_from", *_LAST_DAY_BEFORE_FIRST),),
)

LPR = Kind(
    name="lpr",
    title_zh="贷款市场报价利率",
    klass="reference",
    columns=(
        day("published_on", "公布日"),
        rate("one_year", "1年期LPR(%)"),
        rate("five_year", "5年期LPR(%)"),
    ),
    key=("published_on",),
)

ENTERPRISES = Kind(
    name="enterprises",
    title_zh="企业",
    klass="reference",
    columns=(
        USCC,
        name("name", "企业名称"),
        Column("region_code", "登记地行政区划代码", "region_code"),
        Column("industry_code", "国民经济行业代码", "industry_code"),
        choice("size", "企业规模", SIZES),
        choice("ownership", "所有制", OWNERSHIPS),
        choice("environment_rating", "环保信用评价", ENVIRONMENT_RATINGS, required=False),
        choice("tax_rating", "纳税信用等级", TAX_RATINGS, required=False),
        Column(
            "dishonest",
            "失信被执行人",
            "bool",
            required=False,
            choices=YES_NO,
            default=False,
        ),
        day("valid_from", "生效日期", required=False, default=ALWAYS),
    ),
    key=("uscc", "valid_from"),
)

ENTERPRISE_TITLES = Kind(
    name="enterprise-titles",
    title_zh="企业称号",
    klass="reference",
    columns=(
        USCC,
        choice("title", "称号", TITLES),
        day("valid_from", "有效期起"),
        day("valid_to", "有效期止"),
    ),
    key=("uscc", "title", "valid_from"),
    checks=(not_before("valid_to", "valid_from", *_LAST_DAY_BEFORE_FIRST),),
)

PROJECTS = Kind(
    name="projects",
    title_zh="项目",
    klass="reference",
    columns=(
        text("project_code", "项目代码"),
        USCC,
        name("name", "项目名称"),
        Column("region_code", "项目归属地", "region_code"),
    ),
    key=("project_code",),
)

SYNDICATE_SHARES = Kind(
    name="syndicate-shares",
    title_zh="银团份额",
    klass="reference",
    columns=(
        INSTITUTION,
        CONTRACT,
        Column("participant_code", "参贷行机构编码", "institution_code"),
        Column("share", "承贷份额(%)", "share"),
    ),
    key=("institution_code", "contract_number", "participant_code"),
)

GUARANTEES = Kind(
    name="guarantees",
    title_zh="担保",
    klass="reference",
    columns=(
        INSTITUTION,
        NOTE,
        text("guarantee_number", "担保合同号"),
        name("guarantor", "担保机构"),
        amount("principal", "担保本金"),
        day("starts_on", "起始日"),
        day("ends_on", "结束日"),
        rate("fee_rate", "担保费率(%)"),
    ),
    key=("institution_code", "guarantee_number"),
    checks=(
        after(
            "ends_on",
            "starts_on",
            "结束日不晚于起始日",
            "the end is not after the start",
        ),
    ),
)

PAYOUT_AGREEMENTS = Kind(
    name="payout-agreements",
    title_zh="直接拨付约定",
    klass="reference",
    columns=(
        INSTITUTION,
        NOTE,
        Column("scheme_code", "贴息政策", "scheme_code", required=False, default=""),
        day("valid_from", "生效日期"),
        day("valid_to", "终止日期", required=False),
        name("account_name", "收款户名"),
        text("account_number", "收款账号"),
        name("bank_name", "开户行"),
        name("reason", "原因"),
    ),
    key=("institution_code", "note_number", "scheme_code", "valid_from"),
    checks=(not_before("valid_to", "valid_from", *_LAST_DAY_BEFORE_FIRST),),
)

SCHEME_FUNDS = Kind(
    name="scheme-funds",
    title_zh="年度资金",
    klass="reference",
    columns=(SCHEME, YEAR, amount("amount", "年度资金", sign="non_negative")),
    key=("scheme_code", "year"),
)

NOTE_TRANSFERS = Kind(
    name="note-transfers",
    title_zh="借据划转",
    klass="reference",
    columns=(
        INSTITUTION,
        NOTE,
        day("moved_on", "划转日期"),
        Column("new_institution_code", "转入机构编码", "institution_code"),
    ),
    key=("institution_code", "note_number", "moved_on"),
)

OPENING_POSITIONS = Kind(
    name="opening-positions",
    title_zh="期初数",
    klass="reference",
    columns=(
        SCHEME,
        INSTITUTION,
        NOTE,
        TIER,
        YEAR,
        amount("amount", "已贴息金额", sign="non_negative"),
        amount("interest_paid", "已收利息", sign="non_negative"),
        day("paid_through", "已贴息至"),
    ),
    key=("scheme_code", "institution_code", "note_number", "tier", "year"),
)
