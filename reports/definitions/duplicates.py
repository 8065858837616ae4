"""`duplicate-check` 重复贴息核查报告: findings by rule, and each with both its sides (domain §7)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from reports.definitions.cut import Cut
from reports.definitions.period import Period
from reports.definitions.sheet import Column, Sheet, Table, Tie, whole
from reports.definitions.words import OUTSIDE_KINDS, TIERS, TIERS_ZH

STATES = {
    "open": "待核查",
    "confirmed": "属实",
    "dismissed": "已排除",
    "clawback": "追回中",
    "recovered": "已追回",
}
SEVERITIES = {"violation": "违规", "warning": "提示", "proposal": "疑似"}
RULES = {
    "P1": "同一借据重复贴息",
    "P2": "合同或借据号重复录入",
    "P3": "同一企业多个名称或代码",
    "P4": "同一项目多家银行贴息",
    "P5": "发票或设备重复使用",
    "P6": "贴息超过已付利息",
    "P7": "不应贴息日仍贴息",
    "P8": "借新还旧",
    "P9": "拆分借款",
    "P10": "多家银行合计超上限",
    "P11": "与外部补贴重复",
    "P12": "预拨资金长期闲置",
    "N2": "疑似重复录入借据",
    "N3": "疑似同一企业",
    "N5": "疑似重复使用发票或设备",
}
MONEY = [f"{tier}_fen" for tier in TIERS]
NOT_FOUND = "未发现"
FOOTNOTES = (
    "列入涉及本期有贴息的借据（或不涉及借据）、仍然成立或已认定属实的事项，不论何时发现；事实已消除且未认定的不列。状态以生成时为准。",
    "涉及金额为该事项应退的贴息，经复核属实后方为应追回金额；已排除的事项不计入涉及金额合计。",
    "暂停贴息的政策：判定不属实前，应退方在这些政策下不再入账，故涉及金额只含已入账的贴息，暂停金额为截至最近一次运行未入账的贴息；同一借据被多个事项暂停的，金额列在最早的事项。本期有收息而暂停的事项一并列入。",
    "疑似事项（N）按号码、名称、金额和日期相近提出，是否属实由人判断，不涉及金额；认定属实前不列入明细台账。",
    "另一方不在本机构范围内的，其机构、借据和要素不列；明细列前两方，各方列在涉及各方表。",
)
_AMOUNTS = tuple(
    Column(f"{tier}_fen", f"涉及{TIERS_ZH[tier]}贴息", "yuan", total=True) for tier in TIERS
)
DETAIL = (
    Column("number", "序号", "int"),
    Column("finding_id", "事项编号", "int"),
    Column("rule_zh", "规则", "text"),
    Column("severity", "程度", "text"),
    Column("article", "依据条款", "text"),
    Column("state", "状态", "text"),
    Column("blocks", "暂停贴息的政策", "text"),
    Column("found_on", "发现日", "date"),
    Column("scheme_code", "应退政策", "text"),
    Column("institution_code", "所属机构编码", "text"),
    Column("uscc", "应退企业", "text"),
    *(
        Column(f"{part}_{side}", f"{title}·{party}", "text")
        for side, party in ((1, "一方"), (2, "另一方"))
        for part, title in (
            ("institution", "机构编码"),
            ("note", "借据号"),
            ("party", "企业"),
        )
    ),
    Column("sides", "涉及方数", "int"),
    *_AMOUNTS,
    Column("total_fen", "涉及合计", "yuan", total=True, formula="ROUND(" + "+".join(f"{{{m}}}" for m in MONEY) + ",2)"),
    Column("blocked_fen", "暂停金额", "yuan", total=True),
    Column("asked_fen", "已提出追回", "yuan", total=True),
    Column("open_fen", "尚未收回", "yuan", total=True),
    Column("why", "结论原因", "text"),
    Column("made_by", "经办", "text"),
    Column("checked_by", "复核", "text"),
)  # fmt: skip
SIDES = (
    Column("finding_id", "事项编号", "int"),
    Column("position", "涉及方", "int"),
    Column("institution_code", "机构编码", "text"),
    Column("note_number", "借据号", "text"),
    Column("uscc", "企业", "text"),
    Column("role", "应退方", "text"),
    Column("contract_number", "合同号", "text"),
    Column("project_code", "项目代码", "text"),
    Column("drawn_on", "放款日", "date"),
    Column("principal_fen", "放款金额(原币)", "yuan"),
    Column("equipment_fen", "设备购置金额(原币)", "yuan"),
    Column("schemes", "享受政策", "text"),
    Column("claimed_fen", "应退贴息", "yuan", total=True),
    Column("outside_record", "外部补贴", "text"),
    Column("outside_fen", "外部补贴金额", "yuan"),
    Column("more", "其他要素", "text"),
)
BY_RULE = (
    Column("rule_zh", "规则", "text"),
    Column("articles", "依据条款", "text"),
    Column("violations", "违规件数", "int", total=True),
    Column("warnings", "提示件数", "int", total=True),
    Column("proposals", "疑似件数", "int", total=True),
    Column("new", "其中本期发现", "int", total=True),
    Column("blocking", "其中暂停贴息", "int", total=True),
    *(Column(f"{state}_count", name, "int", total=True) for state, name in STATES.items()),
    *(Column(f"{tier}_fen", f"涉及{TIERS_ZH[tier]}贴息", "wan", total=True) for tier in TIERS),
    Column("total_fen", "涉及合计", "wan", total=True),
    Column("blocked_fen", "暂停金额", "wan", total=True),
)


def said_of_notes(found: pl.DataFrame) -> pl.DataFrame:
    """One row per note with findings: `duplicates` names state and rules, most pressing first.

    A proposal says nothing of a note until people have agreed that it is true.
    """
    ranks = {state: rank for rank, state in enumerate(STATES)}
    judged = ~pl.col("state").is_in(["open", "dismissed"])
    return (
        found.filter((pl.col("severity") != "proposal") | judged)
        .with_columns(
            rank=pl.col("state").replace_strict(ranks, return_dtype=pl.Int64),
            number=pl.col("rule").str.slice(1).cast(pl.Int64),
        )
        .select("note_id", "state", "rank", "rule", "number")
        .unique()
        .sort("note_id", "rank", "number", "rule")
        .group_by("note_id", "state", maintain_order=True)
        .agg(pl.col("rule"))
        .select("note_id", said=pl.format("{} {}", pl.col("state").replace(STATES), pl.col("rule").list.join("、")))
        .group_by("note_id", maintain_order=True)
        .agg(duplicates=pl.col("said").str.join("；"))
    )  # fmt: skip


OUTSIDE = ("source", "reference", "scheme_name", "kind")
_TOLD = {
    "institution_code", "note_number", "uscc", "yields", "claims", "contract_number", "project_code",
    "drawn_on", "principal_fen", "equipment_fen", "schemes", "amount_fen", "loan_type", *OUTSIDE,
}  # fmt: skip


def side(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a side's facts say, by column of `SIDES`; what has no column comes as JSON."""
    rest = {key: facts[key] for key in sorted(facts.keys() - _TOLD) if facts[key]}
    outside = [str(facts[key]) for key in OUTSIDE if facts.get(key)]
    outside = [OUTSIDE_KINDS.get(text, text) for text in outside]
    return {
        "role": "应退" if facts.get("yields") else "",
        "contract_number": facts.get("contract_number", ""),
        "project_code": facts.get("project_code", ""),
        "drawn_on": date.fromisoformat(facts["drawn_on"]) if facts.get("drawn_on") else None,
        "principal_fen": facts.get("principal_fen"),
        "equipment_fen": facts.get("equipment_fen"),
        "schemes": "；".join(facts.get("schemes", ())),
        "claimed_fen": sum(claim["fen"] for claim in facts.get("claims", ())),
        "outside_record": "；".join(outside),
        "outside_fen": facts.get("amount_fen"),
        "more": json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else "",
    }


def sides_told(listed: pl.DataFrame) -> pl.DataFrame:
    """The sides' rows: their keys, and what their facts say."""
    kinds: dict[str, type[pl.DataType]] = {
        column.key: {"text": pl.String, "date": pl.Date}.get(column.kind, pl.Int64)
        for column in SIDES
    }
    rows = [
        (*keys, *side(json.loads(facts) if facts else {}).values())
        for *keys, facts in listed.iter_rows()
    ]
    return pl.DataFrame(rows, schema=kinds, orient="row")


def _said(found: pl.DataFrame) -> pl.DataFrame:
    """The detail's rows: words for codes, nothing at stake in what was dismissed."""
    dismissed = pl.col("state") == "dismissed"
    return found.with_columns(
        *(pl.when(dismissed).then(0).otherwise(pl.col(money)).alias(money) for money in MONEY),
        rule_zh=pl.format("{} {}", "rule", pl.col("rule").replace(RULES)),
        severity=pl.col("severity").replace(SEVERITIES),
        number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
    ).with_columns(total_fen=pl.sum_horizontal(MONEY))


def _by_rule(said: pl.DataFrame, period: Period) -> pl.DataFrame:
    return (
        said.group_by("rule_zh", maintain_order=True)
        .agg(
            articles=pl.col("article").unique().sort().str.join("；"),
            violations=(pl.col("severity") == SEVERITIES["violation"]).cast(pl.Int64).sum(),
            warnings=(pl.col("severity") == SEVERITIES["warning"]).cast(pl.Int64).sum(),
            proposals=(pl.col("severity") == SEVERITIES["proposal"]).cast(pl.Int64).sum(),
            new=pl.col("found_on")
            .is_between(period.start, period.end, closed="left")
            .cast(pl.Int64)
            .sum(),
            blocking=(pl.col("blocks") != "").cast(pl.Int64).sum(),
            **{f"{s}_count": (pl.col("state") == s).cast(pl.Int64).sum() for s in STATES},
            **{money: pl.col(money).sum() for money in (*MONEY, "total_fen", "blocked_fen")},
        )
        .select(column.key for column in BY_RULE)
    )


def define(*, cut: Cut, found: pl.DataFrame, sides: pl.DataFrame, period: Period) -> Sheet:
    """The report of what `selectors.duplicates.found` and `sides` give for the period."""
    said = _said(found)
    shown = said.with_columns(pl.col("state").replace(STATES))
    by_rule = _by_rule(said, period)
    return cut.sheet(
        Table("findings", "核查事项明细", DETAIL, whole(shown.select(c.key for c in DETAIL))),
        Table("sides", "涉及各方", SIDES, whole(sides_told(sides))),
        Table("by_rule", "按规则汇总", BY_RULE, whole(by_rule)),
        ties=tuple(
            Tie(f"{TIERS_ZH[tier]}：汇总 = 明细", int(by_rule[f"{tier}_fen"].sum()), int(said[f"{tier}_fen"].sum()))
            for tier in TIERS
        ),
        notes=FOOTNOTES,
    )  # fmt: skip
