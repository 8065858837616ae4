"""An explanation as a paper: one page per collection and scheme, with the very steps of the text page."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from config.kernel.services.typeset import write_pdf
from settlement.engine import TIERS
from settlement.management.explanation_steps import deduction
from settlement.management.explanation_text import guarantee_lines, label_lines, warnings
from settlement.management.explanation_words import (
    CAPS,
    STATUS,
    Footnotes,
    exact_yuan,
    percent_ppm,
    scaled,
    word,
)
from settlement.management.explanation_words import TIERS as TIER_WORDS
from settlement.management.tables import yuan
from settlement.services.explained import DeductionWorking, Explanation, LabelWorking

TEMPLATE = Path(__file__).with_name("explanation.typ")
SIGNATURES = ("经办", "复核", "日期")
_IN_FONT = str.maketrans("✗", "×")  # the packaged font lacks the one

Facts = list[tuple[str, str]]


def write_form(explained: Explanation, path: Path, *, one_collection: bool) -> int:
    """Write the paper; returns its number of forms.

    A whole note's paper begins with the judgement of all its labels; that of one collection has only
    this collection's pages.
    """
    pages = [_deduction_page(explained, work) for work in explained.deductions]
    if not one_collection or not pages:
        pages = [_judgement_page(explained), *pages]
    days = [work.collection.collected_on for work in explained.deductions]
    data = {
        "note": _note(explained),
        "warnings": [line.strip() for line in warnings(explained)],
        "pages": pages,
        "signatures": SIGNATURES,
        "running": f"借据 {explained.note.note_number}　{explained.note.institution_name}",
    }
    dated = max([explained.note.drawn_on, *days])
    write_pdf(template=TEMPLATE, data=data, path=path, dated=dated)
    return len(pages)


def _note(explained: Explanation) -> Facts:
    note = explained.note
    rate = "" if note.currency == "CNY" else f" × {scaled(note.exchange_rate_e8, 8)}"
    return [
        ("借据号", note.note_number),
        ("合同号", f"{note.contract_number}（{note.signed_on} 签订）"),
        ("经办机构", f"{note.institution_name}（{note.institution_code}）"),
        ("借款人", f"{note.enterprise_name}（{note.uscc}）"),
        ("贷款类型", word(note.loan_type)),
        (
            "投向领域",
            note.purpose_field + (f"　项目 {note.project_code}" if note.project_code else ""),
        ),
        ("放款日—到期日", f"{note.drawn_on} — {note.matures_on}"),
        ("合同年利率", percent_ppm(note.rate_ppm)),
        ("放款金额", f"{yuan(note.principal_fen)} {note.currency}{rate}"),
        ("设备购置金额", yuan(note.equipment_fen)),
    ]


def _judgement_page(explained: Explanation) -> dict[str, Any]:
    notes = Footnotes()
    lines = [] if explained.labels else ["没有标注任何政策 labelled with no scheme"]
    for label in explained.labels:
        lines += [*_title_lines(label), *label_lines(label, notes)]
    for one in explained.guarantees:
        lines += guarantee_lines(one, notes)
    return {
        "title": "贴息资格认定说明",
        "facts": [],
        "result": _summary(explained.deductions),
        "sections": _sections((("资格认定", lines), ("假定（文件未写明处）", notes.legend()))),
    }


def _title_lines(label: LabelWorking) -> list[str]:
    scheme = label.scheme
    old = "" if scheme.is_in_force else "（已有新版本）"
    return [
        f"[{label.position + 1}] {scheme.code} {scheme.name_zh} {scheme.document}",
        f"    规则版本 v{scheme.version} sha256 {scheme.sha256[:12]}{old}",
        f"    结论 status: {STATUS[label.status]}",
    ]


def _summary(works: Iterable[DeductionWorking]) -> dict[str, Any]:
    rows = [
        [
            str(work.collection.collected_on),
            work.collection.reference,
            work.scheme.code,
            yuan(work.raw_fen),
            yuan(work.granted_fen),
            "、".join(CAPS[code].split()[0] for code in work.cut_reasons),
        ]
        for work in works
    ]
    if not rows:
        return {}
    raw, granted = (
        yuan(sum(getattr(work, name) for work in works)) for name in ("raw_fen", "granted_fen")
    )
    return {
        "header": ["收息日", "流水号", "政策", "应贴息", "实际贴息", "封顶"],
        "widths": [3, 4, 6, 4, 4, 5],
        "left": [0, 1, 2, 5],
        "rows": rows,
        "total": ["合计", "", "", raw, granted, ""],
    }


def _deduction_page(explained: Explanation, work: DeductionWorking) -> dict[str, Any]:
    notes = Footnotes()
    labels = [label for label in explained.labels if label.scheme.code == work.scheme.code]
    judged = [line for label in labels for line in (*_status(label), *label_lines(label, notes))]
    _, *steps = deduction(work, "", notes)  # the first line is a rule with what the facts say
    sections = (
        ("一、资格认定", judged),
        ("二、计算步骤", steps),
        ("三、假定（文件未写明处）", notes.legend()),
    )
    return {
        "title": "贴息计算说明",
        "facts": _facts(work),
        "result": _tiers(work) if work.tiers else {},
        "sections": _sections(sections),
    }


def _status(label: LabelWorking) -> list[str]:
    return [f"    结论 status: {STATUS[label.status]}"]


def _facts(work: DeductionWorking) -> Facts:
    one, scheme = work.collection, work.scheme
    return [
        ("贴息政策", f"{scheme.name_zh}（{scheme.document}）"),
        ("规则版本", f"{scheme.code} v{scheme.version}"),
        ("收息流水号", one.reference),
        ("收息日", str(one.collected_on)),
        ("计息期", f"{one.period_start} → {one.period_end}（止日不含）"),
        ("实际付息天数", str(work.days)),
        ("应收利息", yuan(one.due_fen)),
        ("本笔实收利息", yuan(one.paid_fen)),
    ]


def _tiers(work: DeductionWorking) -> dict[str, Any]:
    order = {name: place for place, name in enumerate(TIERS)}
    tiers = sorted(work.tiers, key=lambda tier: order[tier.tier])
    rows = [
        [
            TIER_WORDS[tier.tier].split()[0],
            exact_yuan(tier.whole),
            yuan(tier.earned_fen),
            yuan(tier.before_fen),
            yuan(tier.raw_fen),
            yuan(tier.granted_fen),
        ]
        for tier in tiers
    ]
    return {
        "header": ["资金层级", "全期贴息(元，精确)", "累计应得", "此前应得", "应贴息", "实际贴息"],
        "widths": [3, 5, 4, 4, 4, 4],
        "left": [0],
        "rows": rows,
        "total": ["合计", "", "", "", yuan(work.raw_fen), yuan(work.granted_fen)],
    }


def _sections(parts: Iterable[tuple[str, list[str]]]) -> list[dict[str, Any]]:
    return [
        {"title": title, "lines": [line.translate(_IN_FONT) for line in lines]}
        for title, lines in parts
        if lines
    ]
