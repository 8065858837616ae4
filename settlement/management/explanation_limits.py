"""One deduction as text: ceilings and caps, the split between tiers, and what is posted."""

from __future__ import annotations

from collections.abc import Iterator

from settlement.engine import TIERS
from settlement.management.explanation_words import CAPS, USED, Footnotes, signed, wrap
from settlement.management.explanation_words import TIERS as TIER_WORDS
from settlement.management.tables import yuan
from settlement.services.explained import CapStep, DeductionWorking, DuplicateStep, TierWorking

IN, IN2 = 3, 5


def active_tiers(work: DeductionWorking) -> list[TierWorking]:
    """The tiers that are not switched off."""
    return [tier for tier in work.tiers if not tier.is_off]


def limits(work: DeductionWorking, notes: Footnotes) -> Iterator[str]:
    """Ceilings, caps and duplicate rules, or what a lowering row takes back."""
    if work.taken_back:
        yield from _taken_back(work, notes)
        if work.pro_rata is not None:
            yield from _pro_rata(work, notes)
        return
    if not work.caps and work.duplicate is None and work.pro_rata is None:
        yield f"{' ' * IN}④ 无上限 no ceiling or cap applies"
        return
    tag = notes.tag(work.sources["order"])
    yield from wrap(
        f"④ 上限 caps: 剩余 room = 限额 limit − 已用 used（不低于 0）；取小 the lesser of both  {tag}",
        IN,
        4,
    )
    if work.duplicate is not None:
        yield from _duplicate(work.duplicate, notes)
    for step in work.caps:
        yield from _cap(step, notes)
    if work.pro_rata is not None:
        yield from _pro_rata(work, notes)


def _cap(step: CapStep, notes: Footnotes) -> Iterator[str]:
    parts = [f"{USED[name]} {yuan(fen)}" for name, fen in step.used_parts if fen]
    split = (
        f" = {' + '.join(parts)}" if len(parts) > 1 or (parts and not step.used_parts[0][1]) else ""
    )
    mark = f"  ← 核减 cut {yuan(step.before_fen - step.after_fen)}" if step.is_cut else ""
    limit = "限额 limit"
    if step.reason == "interest_ceiling":
        limit = "本借据当年已收利息 interest paid this year"
    yield from wrap(f"{CAPS[step.reason]}  {notes.tag(step.sources)}", IN2, 4)
    yield from wrap(
        f"{limit} {yuan(step.limit_fen)} − 已用 {yuan(step.used_fen)} = 剩余 {yuan(step.room_fen)}；"
        f"前 before {yuan(step.before_fen)} → 后 after {yuan(step.after_fen)}{mark}",
        IN2 + 2,
        4,
    )
    if split:
        yield from wrap(f"已用 used{split}", IN2 + 2, 4)


def _duplicate(step: DuplicateStep, notes: Footnotes) -> Iterator[str]:
    yield from wrap(f"{CAPS[step.rule]}  {notes.tag(step.sources)}", IN2, 4)
    rule = (
        f"{yuan(step.own_fen)} − {yuan(step.others_fen)}（不低于 0）"
        if step.rule == "net_off"
        else "本政策高于其他则取本政策，否则 0 own if above the others, else 0"
    )
    yield from wrap(
        f"当年累计 own to date {yuan(step.own_fen)}，其他来源 others {yuan(step.others_fen)}；"
        f"应享 target = {rule} = {yuan(step.target_fen)}；"
        f"− 此前 before {yuan(step.granted_before_fen)}（不低于 0）；"
        f"{yuan(step.before_fen)} → {yuan(step.after_fen)}",
        IN2 + 2,
        4,
    )


def _pro_rata(work: DeductionWorking, notes: Footnotes) -> Iterator[str]:
    step = work.pro_rata
    assert step is not None
    yield from wrap(f"{CAPS['fund_pro_rata']} {step.year}  {notes.tag(step.sources)}", IN2, 4)
    if step.all_fen <= step.fund_fen:
        text = f"全部 all {yuan(step.all_fen)} ≤ 资金 fund {yuan(step.fund_fen)}，足额 in full"
    else:
        floor = abs(step.before_fen) * step.fund_fen // step.all_fen
        floor = floor if step.before_fen >= 0 else -floor
        text = (
            f"{yuan(step.before_fen)} × 资金 fund {yuan(step.fund_fen)} ÷ 全部 all {yuan(step.all_fen)}"
            f" = {yuan(floor)}（舍去零头 floored）"
        )
        if step.after_fen != floor:
            text += f" + 余数归最大一笔 spare fen {yuan(step.after_fen - floor)}"
        text += f" = {yuan(step.after_fen)}"
    yield from wrap(text, IN2 + 2, 4)
    yield f"{' ' * (IN2 + 2)}上限按分配前金额占用 caps count the amounts before the fund is shared"


def _taken_back(work: DeductionWorking, notes: Footnotes) -> Iterator[str]:
    yield from wrap(
        "④ 冲回 taken back = −(已贴 granted × 减少 lowered ÷ 此前应得 earned before)，四舍五入 half-up；"
        f"上限随之释放 caps get it back  {notes.tag(work.sources['paid'])}",
        IN,
        4,
    )
    for back in work.taken_back:
        if back.lowered_fen or back.granted_fen:
            yield from wrap(
                f"{TIER_WORDS[back.tier]}: −({yuan(back.granted_fen)} × {yuan(back.lowered_fen)} ÷ "
                f"{yuan(back.earned_before_fen)}) = {yuan(back.change_fen)}",
                IN2,
                4,
            )


def split(work: DeductionWorking, notes: Footnotes) -> Iterator[str]:
    """What is granted, why it was cut, and how it is shared between the tiers."""
    total = work.granted_fen
    by = "、".join(f"{CAPS[code]} ({code})" for code in work.cut_reasons if code != "principal_cap")
    yield from wrap(
        f"⑤ 贴息 subsidy {yuan(total)} 元，核减 cut {yuan(work.cut_fen)}"
        + (f"，因 by {by}" if by else ""),
        IN,
        4,
    )
    if "principal_cap" in work.cut_reasons:
        tag = notes.tag(work.sources["principal_cap"])
        yield from wrap(
            f"可贴息本金已按本金上限削减 eligible principal was cut (principal_cap)  {tag}", IN2, 4
        )
    active = active_tiers(work)
    shared = len(active) > 1 and work.cut_fen and not work.taken_back and total
    for tier in active if shared else ():
        yield from wrap(_share(work, tier), IN2, 4)
    if shared:
        yield from wrap(
            f"按应得比例分到各级 in proportion  {notes.tag(work.sources['split'])}", IN2
        )
    elif len(active) > 1:
        yield " " * IN2 + "，".join(
            f"{TIER_WORDS[t.tier]} {yuan(t.granted_fen)}" for t in work.tiers
        )


def _share(work: DeductionWorking, tier: TierWorking) -> str:
    highest = next(t for t in work.tiers if t.raw_fen > 0)
    name = TIER_WORDS[tier.tier]
    if tier is highest:
        lower = [t for t in active_tiers(work) if t is not highest]
        minus = " − ".join(yuan(t.granted_fen) for t in lower)
        return f"{name}: {yuan(work.granted_fen)} − {minus} = {yuan(tier.granted_fen)}（余数归最高一级 rest）"
    return (
        f"{name}: {yuan(work.granted_fen)} × {yuan(tier.raw_fen)} ÷ {yuan(work.raw_fen)} = "
        f"{yuan(tier.granted_fen)}（舍去零头 floored）"
    )


def posted(work: DeductionWorking, notes: Footnotes) -> Iterator[str]:
    """Original and differences as posted, and whether they add up to the target."""
    if not work.postings:
        yield f"{' ' * IN}⑥ 尚未入账 not posted yet"
        yield from _blocked(work)
        return
    target = yuan(work.granted_fen)
    agrees = work.difference is None
    sign = "= 应贴 target，一致 ✓ agrees" if agrees else f"≠ 应贴 target {target} ✗"
    yield f"{' ' * IN}⑥ 已入账 posted {yuan(work.posted_fen)} {sign}"
    for line in work.postings:
        name = "原始 original" if line.sequence == 0 else "差额 difference"
        tiers = "，".join(
            f"{TIER_WORDS[tier]} {signed(fen)}"
            for tier, fen in zip(TIERS, line.change_fen, strict=True)
            if fen
        )
        yield from wrap(
            f"#{line.sequence} {name} {line.posted_on} run {line.run_id} v{line.version}: "
            f"{tiers or '0.00'} {line.why}",
            IN2,
            4,
        )
    if work.difference is not None:
        tiers = " / ".join(signed(fen) for fen in work.difference)
        yield from wrap(
            f"{'应补记 to be posted' if work.blocked_by else '下次运行将补记 the next run posts'} 中央/省/市: {tiers} "
            f"{notes.tag(work.sources['difference'])}",
            IN2,
            4,
        )
        yield from _blocked(work)


def _blocked(work: DeductionWorking) -> Iterator[str]:
    """Which findings keep it waiting."""
    if work.blocked_by:
        yield from wrap(
            f"因核查事项 {'、'.join(work.blocked_by)} 暂停，两人判定不属实后的下次运行入账 "
            "blocked by these findings: posted by the next run once two people have dismissed them",
            IN2,
            4,
        )
