"""Columns that several kinds share, and the checks they repeat."""

import polars as pl

from loans.files.kind_types import Check, Column, Default, Sign
from loans.values.errors import bilingual

TIERS = {"central": "中央", "provincial": "省级", "municipal": "市级"}
TIER_ALIASES = {"中央级": "central", "省": "provincial", "市": "municipal"}

INSTITUTION = Column("institution_code", "机构编码", "institution_code")
NOTE = Column("note_number", "借据号", "text")
CONTRACT = Column("contract_number", "合同号", "text")
USCC = Column("uscc", "统一社会信用代码", "uscc")
SCHEME = Column("scheme_code", "贴息政策", "scheme_code")
REFERENCE = Column("reference", "流水号", "text")
DOCUMENT = Column("document_number", "文号", "text")
TIER = Column("tier", "资金层级", "choice", choices=TIERS, aliases=TIER_ALIASES)
YEAR = Column("year", "年度", "year")


def text(key: str, header_zh: str, *, required: bool = True) -> Column:
    """Return an identifier: opaque text, leading zeros kept; blank means the empty text."""
    return Column(key, header_zh, "text", required, default=None if required else "")


def name(key: str, header_zh: str, *, required: bool = True) -> Column:
    """Return free text; blank means the empty text."""
    return Column(key, header_zh, "name", required, default=None if required else "")


def day(key: str, header_zh: str, *, required: bool = True, default: Default = None) -> Column:
    """Return a calendar day."""
    return Column(key, header_zh, "date", required, default=default)


def amount(
    key: str,
    header_zh: str,
    *,
    required: bool = True,
    sign: Sign = "positive",
    default: Default = None,
) -> Column:
    """Return an amount: yuan in the file, whole fen in the frame."""
    return Column(key, header_zh, "amount", required, sign=sign, default=default)


def rate(key: str, header_zh: str) -> Column:
    """Return a rate: percent in the file, parts per million in the frame."""
    return Column(key, header_zh, "rate")


def choice(key: str, header_zh: str, choices: dict[str, str], *, required: bool = True) -> Column:
    """Return a word of a fixed list, given as code or in Chinese; blank means the empty code."""
    return Column(
        key,
        header_zh,
        "choice",
        required,
        choices=choices,
        default=None if required else "",
    )


def after(later: str, earlier: str, zh: str, en: str) -> Check:
    """Refuse a row whose later day is not after the earlier one."""
    return Check(later, bilingual(zh, en), pl.col(later) <= pl.col(earlier))


def not_before(later: str, earlier: str, zh: str, en: str) -> Check:
    """Refuse a row whose later day is before the earlier one (both ends belong to the period)."""
    return Check(later, bilingual(zh, en), pl.col(later) < pl.col(earlier))
