"""Codes of judgements as sentences that say what the rule is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loans.admin.base import own_language
from loans.values.errors import bilingual
from settlement.engine.codes import cut_reasons

REASONS: dict[str, Any] = {
    "institution_not_participating": _("放款当日，经办机构及其上级均不在该政策的合作银行名单内"),
    "drawn_outside_window": _("放款日期不在政策规定的放款期间内"),
    "signed_outside_window": _("合同签订日期不在政策规定的签订期间内"),
    "region": _("企业登记地不在政策支持的地区内"),
    "industry_or_title": _("企业不属于政策支持的行业，放款当日也没有在有效期内的专精特新称号"),
    "not_private": _("企业不是民营企业"),
    "not_small_or_medium": _("企业不是中型、小型或微型企业"),
    "loan_type": _("贷款类型不在政策支持范围内"),
    "purpose_field": _("投向领域不在政策支持清单内"),
    "no_equipment_amount": _("借据没有用于设备购置的金额，而该政策只对设备购置部分贴息"),
    "dishonest": _("放款当日企业是失信被执行人"),
    "environment_rating": _("放款当日企业环保信用评价为红色或黑色"),
    "tax_rating": _("放款当日企业纳税信用等级为 D 级"),
    "overdue": _("放款当日企业在任一银行有逾期贷款"),
    "rate_above_ceiling": _("贷款利率高于政策规定的上限（放款时适用 LPR 加点）"),
    "exclusive_group": _("同一笔借据已按同级财政的另一项贴息政策认定，不得重复享受"),
    "one_bank_per_enterprise": _("每家企业每年只能在一家合作银行享受，当年已由另一家银行先行办理"),
    "fund_exhausted": _("当年政策资金余额不足以容纳本笔贷款的全期贴息"),
    "lpr_missing": _("放款日及以前没有已公布的 LPR，待补充后认定"),
}
CUTS: dict[str, Any] = {
    "principal_cap": _("借款人贴息本金已达上限，只按上限内的本金计算"),
    "interest_ceiling": _("本年各级贴息合计不得超过企业当年实付利息"),
    "project_cap": _("项目年度贴息已达上限"),
    "enterprise_cap": _("企业年度贴息已达上限"),
    "joint_cap": _("与融资租赁贴息合计已达企业年度上限"),
    "borrower_total_cap": _("借款人在政策存续期内的贴息总额已达上限"),
    "net_off": _("已扣除从其他渠道取得的贴息"),
    "higher_of": _("其他渠道的贴息不低于本政策，按就高原则不再重复贴息"),
    "fund_pro_rata": _("资金总额不足，按比例分配"),
    "note_cap": _("单笔借据贴息已达上限"),
}
CUTS_SHORT: dict[str, Any] = {
    "principal_cap": _("本金上限"),
    "interest_ceiling": _("利息上限"),
    "project_cap": _("项目上限"),
    "enterprise_cap": _("企业上限"),
    "joint_cap": _("合并上限"),
    "borrower_total_cap": _("总额上限"),
    "net_off": _("差额补足"),
    "higher_of": _("就高不重复"),
    "fund_pro_rata": _("按比例分配"),
    "note_cap": _("单笔上限"),
}
TIER_NAMES: dict[str, Any] = {"central": _("中央"), "provincial": _("省级"), "municipal": _("市级")}
NOT_RELEASED = bilingual(
    "计划尚未放行或已结束，不能上传结果",
    "the plan is not released, or over: no results are taken in for it",
)
NOT_PLANNED = bilingual(
    "该笔代付已入账、释放或作废，不再变动", "it is posted, released or void already and stays so"
)
NOTHING_TO_POST = bilingual("该重算不在待入账状态", "the recomputation does not wait to be posted")
TIERS_OFF = _("同一项目已享受中央同类贴息，%(tier)s财政不再贴息")


def reasons_in_words(codes: Iterable[str]) -> SafeString:
    """Refusal reasons, one sentence per line, in order of precedence."""
    return _lines(REASONS.get(code, code) for code in codes)


def cuts_in_words(mask: int) -> SafeString:
    """Cut reasons of a deduction, one sentence per line."""
    return _lines(CUTS.get(code, code) for code in cut_reasons(mask))


def cuts_in_brief(mask: int) -> str:
    """Cut reasons of a deduction, for a list."""
    return gettext("、").join(str(CUTS_SHORT.get(code, code)) for code in cut_reasons(mask))


def tiers_off_in_words(codes: Iterable[str]) -> SafeString:
    """Why tiers are switched off."""
    return _lines(TIERS_OFF % {"tier": tier_name(code)} for code in codes)


def tier_name(code: str) -> str:
    """The tier's name."""
    return str(TIER_NAMES.get(code, code))


def posting_in_words(why: str) -> str:
    """Why a difference was posted, in the reader's language."""
    return own_language(why)


def _lines(sentences: Iterable[Any]) -> SafeString:
    return format_html_join("\n", "<div>{}</div>", ((sentence,) for sentence in sentences))
