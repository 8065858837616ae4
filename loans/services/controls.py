"""Control totals: what a person says a file holds, taken from elsewhere, against what it does hold."""

from __future__ import annotations

from dataclasses import dataclass

from loans.files.columns import Parsed
from loans.files.kinds import KINDS, Kind
from loans.files.problems import Problem, file_problem
from loans.files.table import Table
from loans.values.money import grouped_yuan


@dataclass(frozen=True)
class Controls:
    """What a person says the file holds: rows, and yuan of its control column in fen."""

    rows: int
    fen: int | None


def control_column(kind: str) -> str | None:
    """Which column's sum is keyed in? None for kinds that hold no money."""
    if kind == "interest-collections":
        return "interest_paid"
    amounts = [column.key for column in KINDS[kind].columns if column.type == "amount"]
    return amounts[0] if amounts else None


def control_problems(kind: Kind, table: Table, parsed: Parsed, controls: Controls) -> list[Problem]:
    """Where what was keyed in and what the file holds differ, with both figures."""
    problems = []
    rows = table.frame.height
    if rows != controls.rows:
        problems.append(
            file_problem(
                f"控制总数不符：您填写 {controls.rows:,} 行，文件有 {rows:,} 行；请核对文件或重新上传",
                f"control total: {controls.rows:,} rows keyed in, the file has {rows:,}",
            )
        )
    return problems + _sum_problems(kind, parsed, controls.fen)


def _sum_problems(kind: Kind, parsed: Parsed, fen: int | None) -> list[Problem]:
    name = control_column(kind.name)
    if name is None:
        if fen is None:
            return []
        return [
            file_problem(
                "此类文件没有金额列，请不要填写金额合计",
                "this kind has no amounts: leave the sum blank",
            )
        ]
    header = kind.column(name).header_zh
    if fen is None:
        return [
            file_problem(f"请填写金额合计（{header}）", f"key in the sum of the amounts ({name})")
        ]
    if fen == parsed.totals_fen[name] or any(p.column == name for p in parsed.problems):
        return []
    keyed, found = grouped_yuan(fen), grouped_yuan(parsed.totals_fen[name])
    return [
        file_problem(
            f"控制总数不符：您填写的{header}合计为 {keyed} 元，文件合计为 {found} 元；请核对文件或重新上传",
            f"control total: {name} of {keyed} yuan keyed in, the file adds up to {found}",
        )
    ]
