"""The Chinese words of codes in reports; a code without one is shown as it is."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

TIERS = ("central", "provincial", "municipal")
TIERS_ZH = {"central": "中央", "provincial": "省级", "municipal": "市级"}
PURPOSES = {"interest": "贷款贴息", "guarantee_fee": "担保费补贴"}
OUTSIDE_KINDS = {"loan_interest": "贷款贴息", "leasing_interest": "融资租赁贴息", "grant": "奖补"}
SIZES = {"micro": "微型", "small": "小型", "medium": "中型", "large": "大型"}
OWNERSHIPS = {"private": "民营", "state": "国有", "collective": "集体", "foreign": "外资"}
STATUSES = {"eligible": "符合", "ineligible": "不符合", "waiting": "待定", "unjudged": "尚未认定"}
REVIEWS = {"approved": "通过", "rejected": "不予贴息", "disallowed": "核减"}
STATES = {
    "draft": "草稿",
    "submitted": "已提交",
    "decided": "已批复",
    "booked": "已入账",
    "ledger": "资金账（未申报）",
}
ORIGINS = {
    "difference": "重算差额",
    "review": "财政审核",
    "order": "财政追回令",
    "finding": "核查发现",
    "staff": "经办提出",
}
REASONS = {
    "institution_not_participating": "放款日非合作银行",
    "drawn_outside_window": "放款日不在政策期",
    "signed_outside_window": "签约日不在政策期",
    "region": "登记地不符",
    "industry_or_title": "行业或称号不符",
    "not_private": "非民营企业",
    "not_small_or_medium": "非中小微企业",
    "loan_type": "贷款类型不符",
    "purpose_field": "投向领域不符",
    "no_equipment_amount": "无设备购置金额",
    "dishonest": "失信被执行人",
    "environment_rating": "环保信用评价红色或黑色",
    "tax_rating": "纳税信用D级",
    "overdue": "放款日有逾期贷款",
    "rate_above_ceiling": "利率超上限",
    "exclusive_group": "已享受同类政策",
    "one_bank_per_enterprise": "企业已在其他银行享受",
    "fund_exhausted": "年度资金已用尽",
    "lpr_missing": "缺少LPR",
}


def said(column: str, words: Mapping[str, str]) -> pl.Expr:
    """The column's codes in Chinese, under the same name."""
    return pl.col(column).replace(dict(words))


def said_all(column: str, words: Mapping[str, str]) -> pl.Expr:
    """The same for several codes joined by `;`, which come out joined by ；."""
    listed = pl.col(column).str.split(";").list.eval(pl.element().replace(dict(words)))
    return listed.list.join("；").alias(column)
