"""Scheme files: TOML in, `Terms` out, or every reason why not."""

from __future__ import annotations

import tomllib

from settlement.engine.errors import TermsError
from settlement.engine.terms_check import read_terms
from settlement.engine.terms_model import (
    AmountCap,
    Block,
    Citation,
    Dated,
    GuaranteeFee,
    PaperRule,
    PrincipalCap,
    Terms,
    TierOff,
    Window,
)
from settlement.engine.terms_read import Problems, floats

__all__ = [
    "AmountCap",
    "Block",
    "Citation",
    "Dated",
    "GuaranteeFee",
    "PaperRule",
    "PrincipalCap",
    "Terms",
    "TierOff",
    "Window",
    "parse",
]


def parse(text: str, *, name: str) -> Terms:
    """What does this scheme file say?

    Every value must carry its article or `assumed_because`; unknown keys, floats, wrong types and
    gaps or overlaps of dates are refused together in one `TermsError`, each line naming file, key
    and rule.
    """
    problems = Problems(name)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = f"{name}: .: 不是有效的 TOML / is not valid TOML: {error}"
        raise TermsError([line]) from error
    for key in floats(content):
        problems.add(key, "不得用浮点数，写作文字", "must not be a float; write it as text")
    terms = read_terms(problems, content)
    if problems.lines:
        raise TermsError(problems.lines)
    return terms
