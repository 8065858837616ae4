"""Names of reports, as people say them (domain §6)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from loans.admin.base import scheme_name
from reports.admin.tie_words import WORDS, in_english
from reports.definitions.difference import ADDED, CHANGED, REMOVED

REPORTS: dict[str, Any] = {
    "new-loans": _("新发放贷款月报"),
    "monthly-execution": _("政策执行情况月报"),
    "monthly-application": _("贴息资金月度申请"),
    "quarterly-payout": _("季度贴息资金拨付汇总"),
    "annual-demand": _("年度资金需求申请"),
    "annual-settlement": _("年度结算申请"),
    "liquidation": _("清算申请"),
    "subsidy-register": _("贴息明细台账"),
    "duplicate-check": _("重复贴息核查报告"),
    "audit-pack": _("审计资料包"),
}
EVERY_SCHEME = _("全部政策")
CHANGES: dict[str, Any] = {ADDED: _("新增"), REMOVED: _("删除"), CHANGED: _("变更")}


def report_name(code: str) -> Any:
    """What the report is called."""
    return REPORTS.get(code, code)


def scheme_or_all(code: str) -> Any:
    """The policy's name; a report without one is about all."""
    return scheme_name(code) if code else EVERY_SCHEME


def stored(text: str, key: str) -> str:
    """A title stored with a report: as it is in Chinese; in English the words of its key in the files."""
    said = key.removesuffix("_zh").replace("_", " ")
    return said if said and get_language() == "en" else text


def tie_in_words(name: str) -> str:
    """What was proved equal: as it is stored in Chinese, or word by word in English."""
    return in_english(name) if get_language() == "en" else name


def cell_in_words(text: str) -> str:
    """A word of a report's table (a tier, a purpose) in the reader's language; anything else as it stands."""
    return WORDS.get(text, text) if get_language() == "en" else text


def change_in_words(word: str) -> Any:
    """What happened to a row, as the difference report says it."""
    return CHANGES.get(word, word)
