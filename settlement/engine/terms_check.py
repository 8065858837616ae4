"""Reads the sections of a scheme file into `Terms`, collecting every problem on the way."""

from __future__ import annotations

from typing import Any

from settlement.engine.codes import LAST_DAY, MAX_AMOUNT_FEN, TIERS
from settlement.engine.decisions import DECISIONS
from settlement.engine.terms_dated import read_dated, read_window
from settlement.engine.terms_model import (
    AmountCap,
    Citation,
    GuaranteeFee,
    PrincipalCap,
    Terms,
    TierOff,
    Window,
)
from settlement.engine.terms_papers import read_papers
from settlement.engine.terms_rates import read_rates
from settlement.engine.terms_read import Problems, Table

LOAN_TYPES = ("fixed_asset", "project", "working_capital", "policy_instrument", "tech_innovation")
TITLES = ("little_giant", "specialized")
OWNERSHIP = ("private", "state", "collective", "foreign")
SIZES = ("micro", "small", "medium", "large")
ENVIRONMENT = ("green", "blue", "yellow", "red", "black")
TAX = ("A", "B", "M", "C", "D")
DUPLICATE_RULES = ("exclusive", "net_off", "higher_of", "stack_under_ceiling")
FUND_METHODS = ("unlimited", "first_come_first_served", "pro_rata")
SPANS = ("year", "life")
YUAN_PLACES = 2
MAX_YUAN = MAX_AMOUNT_FEN // 100


def _one_word(table: Table, key: str, choices: tuple[str, ...]) -> str:
    entry = table.cited(key)
    if entry is None:
        return ""
    word = entry.word("value", choices)
    entry.done()
    return word


def _optional_words(table: Table, key: str, choices: tuple[str, ...] | None) -> tuple[str, ...]:
    entry = table.optional(key)
    if entry is None:
        return ()
    words = entry.words("values", choices)
    entry.done()
    return words


def _optional_text(table: Table, key: str) -> str:
    entry = table.optional(key)
    if entry is None:
        return ""
    text = entry.text("value")
    entry.done()
    return text


def _flag(table: Table, key: str, *, required: bool = False) -> bool:
    entry = table.cited(key) if required else table.optional(key)
    if entry is None:
        return False
    flag = entry.flag("value")
    entry.done()
    return flag


def _number(table: Table, key: str, field: str, low: int, high: int) -> int:
    entry = table.cited(key)
    if entry is None:
        return low
    number = entry.number(field, low, high)
    entry.done()
    return number


def _scaled(table: Table, key: str, field: str, places: int, high: int) -> int | None:
    entry = table.optional(key)
    if entry is None:
        return None
    number = entry.scaled(field, places, high)
    entry.done()
    return number


def read_terms(problems: Problems, content: dict[str, Any]) -> Terms:
    """The whole document; whatever is wrong ends up in `problems`, and the result is then void."""
    top = Table(problems, "", content)
    window = _windows(top.table("window"))
    values: dict[str, Any] = {
        "name": problems.name,
        **{key: top.text(key) for key in ("code", "name_zh", "name_en", "document")},
        "priority": _number(top, "priority", "value", 0, 9999),
        "exclusive_group": _optional_text(top, "exclusive_group"),
        "fund_level": _one_word(top, "fund_level", ("headquarters", "provincial", "branch")),
        "shortfall": _one_word(top, "shortfall", ("advance", "hold")),
        "duplicate_rule": _one_word(top, "duplicate_rule", DUPLICATE_RULES),
        "interest_ceiling": _flag(top, "interest_ceiling", required=True),
        **window,
        **read_rates(top.table("rate"), window),
        **_eligible(top.table("eligible")),
        "principal_caps": tuple(_principal_cap(row, window) for row in top.rows("principal_caps")),
        "amount_caps": tuple(_amount_cap(row, window) for row in top.rows("amount_caps")),
        "tiers_off": tuple(_tier_off(row) for row in top.rows("tiers_off")),
        "fund_method": _one_word(top, "fund_method", FUND_METHODS),
        "guarantee": _guarantee(top),
        "decisions": _decisions(top.table("decisions")),
        "papers": read_papers(top),
    }
    top.done()
    terms = Terms(**values, citations=tuple(problems.citations))
    _cross_check(top, terms)
    return terms


def _windows(table: Table) -> dict[str, Any]:
    windows: dict[str, Any] = {}
    for key in ("drawn", "signed", "accrued"):
        entry = table.optional(key)
        windows[key] = Window() if entry is None else read_window(entry)
        if entry is not None:
            entry.done()
    entry = table.optional("term")
    windows["term_months"] = 0 if entry is None else entry.number("months", 1, 600)
    if entry is not None:
        entry.done()
    table.done()
    return windows


def _industry(table: Table) -> tuple[str, int, int] | None:
    entry = table.optional("industry")
    if entry is None:
        return None
    section = entry.word("section", tuple("ABCDEFGHIJKLMNOPQRST"))
    first, last = entry.number("first", 1, 99), entry.number("last", 1, 99)
    if first > last:
        entry.add("last", "小于起始大类", "is below first")
    entry.done()
    return section, first, last


def _eligible(table: Table) -> dict[str, Any]:
    values: dict[str, Any] = {
        "base": _one_word(table, "base", ("principal", "equipment")),
        "loan_types": _optional_words(table, "loan_types", LOAN_TYPES),
        "purpose_fields": _optional_words(table, "purpose_fields", None),
        "region_prefix": _optional_text(table, "region_prefix"),
        "industry": _industry(table),
        "titles": _optional_words(table, "titles", TITLES),
        "ownership": _optional_words(table, "ownership", OWNERSHIP),
        "sizes": _optional_words(table, "sizes", SIZES),
        "refused_environment": _optional_words(table, "refused_environment", ENVIRONMENT),
        "refused_tax": _optional_words(table, "refused_tax", TAX),
        "refuse_dishonest": _flag(table, "refuse_dishonest"),
        "refuse_overdue": _flag(table, "refuse_overdue"),
        "rate_ceiling_ppm": _scaled(table, "rate_above_lpr", "points", 4, 36),
        "one_bank": _flag(table, "one_bank"),
    }
    table.done()
    return values


def _limit_fen(row: Table) -> int:
    return row.scaled("yuan", YUAN_PLACES, MAX_YUAN)


def _principal_cap(row: Table, window: dict[str, Any]) -> PrincipalCap:
    per = row.word("per", ("borrower", "enterprise", "note", "project"))
    cap = PrincipalCap(
        per="enterprise" if per == "borrower" else per,
        span=row.word("span", SPANS),
        loan_types=row.words("loan_types", LOAN_TYPES) if row.has("loan_types") else (),
        limit_fen=read_dated(row, _limit_fen, ("drawdown",), window),
        key=row.path,
    )
    row.done()
    return cap


def _cap_reason(per: str, span: str, *, joint: bool) -> str:
    if joint:
        return "joint_cap"
    if per == "enterprise":
        return "enterprise_cap" if span == "year" else "borrower_total_cap"
    return f"{per}_cap"


def _amount_cap(row: Table, window: dict[str, Any]) -> AmountCap:
    per = row.word("per", ("borrower", "enterprise", "note", "project"))
    per = "enterprise" if per == "borrower" else per
    span = row.word("span", SPANS)
    joint = row.has("together_with")
    if joint:
        row.word("together_with", ("leasing_interest",))
        if (per, span) != ("enterprise", "year"):
            row.add("together_with", "只用于企业年度上限", "is for enterprise-year caps only")
    cap = AmountCap(
        per=per,
        span=span,
        joint=joint,
        limit_fen=read_dated(row, _limit_fen, ("drawdown", "collection", "accrual"), window),
        reason=_cap_reason(per, span, joint=joint),
        key=row.path,
    )
    row.done()
    return cap


def _tier_off(row: Table) -> TierOff:
    row.source()
    off = TierOff(
        tier=row.word("tier", TIERS),
        group=row.text("project_eligible_under_group"),
        key=row.path,
    )
    row.done()
    return off


def _guarantee(top: Table) -> GuaranteeFee | None:
    if not top.has("guarantee"):
        return None
    table = top.table("guarantee")
    fee = GuaranteeFee(
        rate_e8=_scaled(table, "rate", "points", 6, 36) or 0,
        max_months=_number(table, "term", "months", 1, 600),
        max_note_fen=_scaled(table, "largest_note", "yuan", YUAN_PLACES, MAX_YUAN)
        or MAX_AMOUNT_FEN,
        once_per_enterprise=_flag(table, "once_per_enterprise", required=True),
    )
    if not fee.rate_e8:
        table.add("rate", "缺少或为零", "is missing or zero")
    table.done()
    return fee


def _decisions(table: Table) -> tuple[Citation, ...]:
    said: dict[str, Citation] = {}
    for number, decision in DECISIONS.items():
        because = f"{number}: {decision.meaning_zh} / {decision.meaning_en}"
        said[number] = Citation(number, decision.choices[0], "", because)
        entry = table.optional(number)
        if entry is not None:
            entry.word("value", decision.choices)
            entry.done()
            source = table.problems.citations.pop()
            said[number] = Citation(
                number, source.value, source.article, source.assumed_because or because
            )
    table.done()
    return tuple(said.values())


def _cross_check(top: Table, terms: Terms) -> None:
    if terms.duplicate_rule == "exclusive" and not terms.exclusive_group:
        top.add("exclusive_group", "互斥规则须写明分组", "the exclusive rule needs a group")
    if terms.accrued == Window() and not terms.term_months and terms.drawn.ends_on == LAST_DAY:
        top.add("window", "期限、计息期、放款期至少有一项", "needs a term or a bounded window")
    for off in terms.tiers_off:
        if off.tier not in terms.tiers:
            top.add(off.key, "本政策无此级资金", "names a tier this scheme does not pay")
