"""An explanation as text for a terminal of about 110 columns, Chinese first with English beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from settlement.engine.codes import ELIGIBLE
from settlement.management.explanation_steps import deduction
from settlement.management.explanation_words import (
    BASES,
    ENTITIES,
    SHORT,
    SPANS,
    STATUS,
    TIERS,
    Footnotes,
    aligned,
    day,
    percent,
    percent_ppm,
    scaled,
    word,
    words,
    wrap,
)
from settlement.management.tables import yuan
from settlement.services.explained import (
    Commitment,
    EligibleAmount,
    Explanation,
    GuaranteeWorking,
    LabelWorking,
    PrincipalCapStep,
    Records,
    Refusal,
)

RULE = "═" * 100

_LIST = Callable[[Records], str]
_NAMES = {
    "institution_not_participating": "放款日机构不在合作名单内 institution not participating",
    "drawn_outside_window": "放款日期不在期间内 drawn outside the window",
    "signed_outside_window": "合同签订日期不在期间内 signed outside the window",
    "region": "登记地不在范围内 region",
    "industry_or_title": "行业不符且无有效称号 neither industry nor valid title",
    "not_private": "不是民营企业 not private",
    "not_small_or_medium": "不是中小微企业 not small or medium",
    "loan_type": "贷款类型不符 loan type",
    "purpose_field": "投向领域不符 purpose field",
    "no_equipment_amount": "没有设备购置金额 no equipment amount",
    "dishonest": "失信被执行人 dishonest",
    "environment_rating": "环保信用评价 environment rating",
    "tax_rating": "纳税信用等级 tax rating",
    "overdue": "放款日有逾期 overdue on the drawdown day",
    "rate_above_ceiling": "利率高于上限 rate above the ceiling",
    "exclusive_group": "同组政策已认定 another scheme of the group",
    "one_bank_per_enterprise": "每户每年一家银行 one bank per enterprise and year",
    "fund_exhausted": "年度资金不足 fund exhausted",
    "lpr_missing": "放款日及以前没有LPR no LPR fixing on or before drawdown",
}


def _first(rows: Records, place: int = 0) -> object:
    return rows[0][place] if rows and len(rows[0]) > place else None


def _listed(rows: Records) -> str:
    return words(row[0] for row in rows)


def _period(rows: Records) -> str:
    return f"{day(_first(rows))} 起，{day(_first(rows, 1))} 前（不含 exclusive）"


def _covering(rows: Records) -> str:
    listed = "；".join(
        f"{code} {day(start)} 至 to {day(end)}" + ("（含 inclusive）" if end else "")
        for code, start, end in rows
    )
    return f"放款日在合作期内 within a participation；已登记 recorded: {listed or '无 none'}"


def _trades(rows: Records) -> str:
    industry, titles = rows
    parts = []
    if industry:
        section, first, last = industry
        parts.append(f"行业 industry {section}{first} 至 to {section}{last}")
    if titles:
        parts.append(f"有效称号 valid title: {words(titles)}")
    return " 或 or ".join(parts)


def _trade(rows: Records) -> str:
    held = "；".join(f"{word(title)} {start} 至 {end}（含）" for title, start, end in rows[1:])
    return f"{_first(rows)}；称号 titles: {held or '无 none'}"


def _overdue(rows: Records) -> str:
    return "；".join(
        f"{f'{code} {number}' if number else '范围外的借据 a note outside your scope'} "
        f"逾期 overdue {day(start)} → {day(end) if end else '仍逾期 still'}"
        for code, number, start, end in rows
    )


def _first_note(rows: Records) -> str:
    if not rows:
        return "另一家银行在先 another bank came first"
    code, number, drawn = rows[0]
    shown = f"{code} {number}" if number else "另一家银行的借据 a note of another bank"
    return f"在先 first: {shown}，放款 drawn {drawn}"


def _ceiling(rows: Records) -> str:
    lpr, above = rows[0]
    assert isinstance(lpr, int) and isinstance(above, int)
    total = percent_ppm(lpr + above)
    return f"不高于 at most LPR {percent_ppm(lpr)} + {percent_ppm(above)} = {total}"


def _money(value: object) -> str:
    assert isinstance(value, int)
    return yuan(value)


def _fund(rows: Records) -> str:
    year, fund, used = rows[0]
    assert isinstance(fund, int) and isinstance(used, int)
    left = yuan(fund - used)
    return f"{year} 年资金 fund {yuan(fund)} − 在先占用 committed before {yuan(used)} = 剩余 left {left}"


def _no(_rows: Records) -> str:
    return "否 no"


# What a rule demands and what the note or borrower has, in words.
_SAYS: dict[str, tuple[_LIST, _LIST]] = {
    "institution_not_participating": (
        _covering,
        lambda r: f"机构 {_first(r)}，放款 drawn {_first(r, 1)}",
    ),
    "drawn_outside_window": (_period, lambda r: f"放款 drawn {_first(r)}"),
    "signed_outside_window": (_period, lambda r: f"签订 signed {_first(r)}"),
    "region": (lambda r: f"区划代码以 {_first(r)} 开头 begins with {_first(r)}", _listed),
    "industry_or_title": (_trades, _trade),
    "no_equipment_amount": (
        lambda _r: "设备购置金额大于 0 above 0",
        lambda r: _money(_first(r)),
    ),
    "dishonest": (_no, lambda _r: "是 yes"),
    "environment_rating": (lambda r: f"不为 none of {_listed(r)}", _listed),
    "tax_rating": (lambda r: f"不为 none of {_listed(r)}", _listed),
    "overdue": (
        lambda r: f"放款日 {_first(r)} 企业在任何银行无逾期 not overdue anywhere",
        _overdue,
    ),
    "rate_above_ceiling": (_ceiling, lambda r: percent_ppm(_first(r))),
    "exclusive_group": (
        lambda r: f"{_first(r)} 组内只认定一项 one scheme of the group",
        lambda r: f"已认定 eligible under {_listed(r)}",
    ),
    "one_bank_per_enterprise": (
        lambda r: f"{_first(r)} 年只在首笔合格借据的银行 the bank of the first eligible note",
        _first_note,
    ),
    "fund_exhausted": (_fund, lambda r: f"预计贴息 expected subsidy {_money(_first(r))}"),
    "lpr_missing": (lambda r: f"{_first(r)} 及以前公布的LPR a fixing", lambda _r: "未导入 none"),
}


def page(explained: Explanation) -> str:
    """The whole explanation as text."""
    notes = Footnotes()
    lines = [*_header(explained), ""]
    lines += ["一、资格认定 Judgement", RULE, *_labels(explained, notes)]
    lines += ["", "二、贴息计算 Deductions", RULE, *_deductions(explained, notes)]
    legend = notes.legend()
    if legend:
        lines += [
            "",
            "三、假定 Assumptions（文件未写明处 where the documents are silent）",
            RULE,
            *legend,
        ]
    return "\n".join(lines)


def _header(explained: Explanation) -> Iterator[str]:
    note = explained.note
    yield f"借据 note {note.note_number} · {note.institution_code} {note.institution_name}"
    if note.holder_id != note.origin_id:
        yield f"  现属 now held by {note.holder_code} {note.holder_name}"
    yield f"  企业 enterprise {note.enterprise_name} {note.uscc}"
    yield from wrap(
        f"合同 contract {note.contract_number}，签订 signed {note.signed_on}，"
        f"{word(note.loan_type)}，投向 purpose {note.purpose_field}"
        + (f"，项目 project {note.project_code}" if note.project_code else ""),
        2,
    )
    rate = (
        "" if note.currency == "CNY" else f"，汇率 exchange rate {scaled(note.exchange_rate_e8, 8)}"
    )
    yield from wrap(
        f"放款 drawn {note.drawn_on}，到期 matures {note.matures_on}，"
        f"本金 principal {yuan(note.principal_fen)} {note.currency}，"
        f"设备 equipment {yuan(note.equipment_fen)}，年利率 rate {percent_ppm(note.rate_ppm)}{rate}",
        2,
    )
    yield from warnings(explained)


def warnings(explained: Explanation) -> Iterator[str]:
    """What the reader must know before trusting the rest: facts newer than judgement or postings."""
    if not explained.is_judged_current:
        yield "  ! 资格认定之后又有新事实，请运行 facts changed since labels were judged: run assess"
    if not explained.is_posted_current:
        yield "  ! 入账结果尚未更新到最新事实 posted deductions await run_deductions"


def _labels(explained: Explanation, notes: Footnotes) -> Iterator[str]:
    if not explained.labels:
        yield "  没有标注任何政策 this note is labelled with no scheme"
    for label in explained.labels:
        scheme = label.scheme
        yield f"[{label.position + 1}] {scheme.code} {scheme.name_zh} {scheme.document}"
        yield f"    {scheme.name_en}"
        old = "" if scheme.is_in_force else "（已有新版本 not the version in force）"
        yield f"    版本 version v{scheme.version} sha256 {scheme.sha256[:12]}{old}"
        yield f"    结论 status: {STATUS[label.status]}"
        yield from label_lines(label, notes)
    for one in explained.guarantees:
        yield from guarantee_lines(one, notes)


def guarantee_lines(one: GuaranteeWorking, notes: Footnotes) -> Iterator[str]:
    """A guarantee-fee subsidy, or why there is none."""
    line = one.line
    yield from wrap(
        f"担保费补贴 guarantee-fee subsidy {line.guarantee_number}（{line.scheme_code}）: "
        f"{STATUS[line.status]}  {notes.tag(one.sources)}",
        2,
        4,
    )
    if line.reasons:
        yield f"    原因 reasons: {'、'.join(line.reasons)}"
    else:
        yield from wrap(
            f"担保本金 {yuan(line.principal_fen)} × {percent(one.rate)} × {line.months} 个月 months ÷ 12 = "
            f"{yuan(line.subsidy_fen)} 元（四舍五入 half-up）",
            4,
            4,
        )


def label_lines(label: LabelWorking, notes: Footnotes) -> Iterator[str]:
    """Why a label is judged as it is, and on what amount and days it is subsidised."""
    for refusal in label.refusals:
        yield from _refusal(refusal, notes)
    if label.lpr is not None and label.lpr.rate_ppm is not None:
        years = label.lpr.tenor_years
        yield from wrap(
            f"适用 LPR: {percent_ppm(label.lpr.rate_ppm)}（{years}年期 {years}-year，"
            f"{label.lpr.published_on} 公布 published）  {notes.tag(label.lpr.sources)}",
            4,
            4,
        )
    if label.eligible is not None:
        yield from _amount(label.eligible, notes)
    if label.commitment is not None:
        yield from _commitment(label.commitment, notes)
    if label.status == ELIGIBLE:
        months = f"（放款日起 {label.term_months} 个月 months）" if label.term_months else ""
        yield from wrap(
            f"贴息期 subsidised {label.subsidised_from} → {day(label.subsidised_until)}"
            f"（不含 exclusive）{months}  {notes.tag(label.window_sources)}",
            4,
            4,
        )
    for off in label.tiers_off:
        causes = [f"{code} {number}" for code, number in off.notes]
        causes += [f"范围外 outside your scope × {off.others}"] if off.others else []
        yield from wrap(
            f"{TIERS[off.tier]} 不贴 pays nothing: 同一项目已按 {off.group} 组政策认定 the project is "
            f"eligible under group {off.group}: {'、'.join(causes)}  {notes.tag(off.sources)}",
            4,
            4,
        )


def _refusal(refusal: Refusal, notes: Footnotes) -> Iterator[str]:
    wanted, found = _SAYS.get(refusal.reason, (_listed, _listed))
    tag = notes.tag(refusal.sources) or "[合作银行名单 participations]"
    yield from wrap(f"✗ {refusal.reason} {_NAMES[refusal.reason]}  {tag}", 4, 4)
    yield from wrap(f"要求 demands: {wanted(refusal.wanted) or '—'}", 8, 4)
    yield from wrap(f"实际 has: {found(refusal.found) or '—'}", 8, 4)


def _amount(amount: EligibleAmount, notes: Footnotes) -> Iterator[str]:
    text = f"可贴息金额 eligible amount = {BASES[amount.base]} {yuan(amount.amount_fen)}"
    if amount.currency != "CNY":
        rate = scaled(amount.exchange_rate_e8, 8)
        text += f" {amount.currency} × 汇率 {rate} = {yuan(amount.converted_fen)}"
    yield from wrap(f"{text} 元  {notes.tag(amount.sources)}", 4, 4)
    for cap in amount.caps:
        yield from _principal_cap(cap, notes)


def _principal_cap(cap: PrincipalCapStep, notes: Footnotes) -> Iterator[str]:
    types = f"，{words(cap.loan_types)}" if cap.loan_types else ""
    room = max(cap.limit_fen - cap.used_fen, 0)
    cut = "  ← 核减 cut (principal_cap)" if cap.after_fen < cap.before_fen else ""
    yield from wrap(
        f"本金上限 principal cap {ENTITIES[cap.per]}，{SPANS[cap.span]}{types}  {notes.tag(cap.sources)}",
        6,
        4,
    )
    yield from wrap(
        f"限额 {yuan(cap.limit_fen)} − 在先借据已用 used by earlier notes {yuan(cap.used_fen)} = "
        f"剩余 room {yuan(room)}；{yuan(cap.before_fen)} → {yuan(cap.after_fen)}{cut}",
        8,
        4,
    )


def _commitment(one: Commitment, notes: Footnotes) -> Iterator[str]:
    scale = one.divisor // one.basis
    parts = " + ".join(
        f"{part.days} 天 × {percent(part.rate * 10**8 // scale)} ({part.starts_on} → {part.ends_on})"
        for part in one.parts
    )
    yield from wrap(
        f"占用 {one.year} 年度资金 commitment = {yuan(one.eligible_fen)} × [{parts or '0'}] ÷ {one.basis} = "
        f"{yuan(one.commitment_fen)}（四舍五入 half-up）  {notes.tag(one.sources)}",
        4,
        4,
    )
    if one.fund_fen is None:
        yield f"{' ' * 6}未登记年度资金，不限 no fund recorded: no limit"
        return
    sign = "足够 fits" if one.fits else "不足 does not fit"
    yield from wrap(
        f"资金 fund {yuan(one.fund_fen)} − 在先占用 committed before {yuan(one.used_fen)} = "
        f"剩余 room {yuan(one.fund_fen - one.used_fen)}：{sign}",
        6,
        4,
    )


def _deductions(explained: Explanation, notes: Footnotes) -> Iterator[str]:
    if explained.deductions:
        yield from _summary(explained)
    elif any(label.status == ELIGIBLE for label in explained.labels):
        yield "  尚未收息 no interest collected yet"
    else:
        yield "  没有符合的政策，收息不产生贴息 no eligible label: interest earns no subsidy"
    for number, work in enumerate(explained.deductions, start=1):
        yield ""
        yield from deduction(work, f"({number})", notes)
    for one in explained.later:
        yield f"  {one.collected_on} {one.reference}: 尚未计算 after the last run"
    for reference, planned in explained.planned:
        yield f"  {planned} {reference}: 计划，尚未收息 planned, not collected yet"


def _summary(explained: Explanation) -> list[str]:
    header = (
        "收息日",
        "流水号 ref",
        "政策 scheme",
        "应得 raw",
        "贴息 subsidy",
        "上限 cut by",
    )
    rows = [
        (
            f"({number}) {work.collection.collected_on}",
            work.collection.reference,
            work.scheme.code,
            yuan(work.raw_fen),
            yuan(work.granted_fen),
            ("≠ " if work.difference else "") + "、".join(SHORT[code] for code in work.cut_reasons),
        )
        for number, work in enumerate(explained.deductions, start=1)
    ]
    total = sum(work.granted_fen for work in explained.deductions)
    raw = sum(work.raw_fen for work in explained.deductions)
    rows.append(("合计 total", "", "", yuan(raw), yuan(total), ""))
    return aligned(header, rows, 2)
