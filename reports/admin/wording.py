"""Names of reports, as people say them (domain §6)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from loans.admin.base import scheme_name
from reports.admin.tie_words import WORDS, in_english
from reports.definitions.difference import ADDED, CHANGED, REMOVED
from reports.models.names import REPORTS as REPORTS  # noqa: PLC0414 (for all pages of reports)
from reports.models.names import report_name as report_name  # noqa: PLC0414

EVERY_SCHEME = _("全部政策")
CHANGES: dict[str, Any] = {ADDED: _("新增"), REMOVED: _("删除"), CHANGED: _("变更")}


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
