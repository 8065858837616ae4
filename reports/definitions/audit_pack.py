"""`audit-pack` 审计资料包: the list of what is in the pack, and the sample to begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from reports.definitions import sample
from reports.definitions.cut import Cut
from reports.definitions.sheet import Column, Sheet, Table, Tie, whole
from reports.definitions.words import TIERS, TIERS_ZH

SUMS = {
    "central": "中央贴息",
    "provincial": "省级贴息",
    "municipal": "市级贴息",
    "total": "贴息合计",
    "cut": "封顶核减",
    "debit": "借方",
    "credit": "贷方",
    "amount": "金额",
    "subsidy": "担保费补贴",
    "received": "收到",
    "claimed": "申报结算",
    "approved": "认可",
    "disallowed": "核减",
    "unpaid_principal": "未清偿本金",
}
"""Columns that are added up where a file has them, under their name in the files."""

MANIFEST = (
    Column("file", "文件", "text"),
    Column("title", "内容", "text"),
    Column("rows", "行数", "int"),
    Column("bytes", "字节数", "int"),
    Column("sha256", "sha256", "text"),
    *(Column(key, title, "yuan") for key, title in SUMS.items()),
)
FOOTNOTES = ("清单中的合计由数据库直接求得；解压后运行 check.py 可由文件重算并核对。",)


@dataclass(frozen=True)
class Entry:
    """One file of the pack; `rows` None for what is no list, `sums` in fen by column."""

    file: str
    title: str
    bytes: int
    sha256: str
    rows: int | None = None
    sums: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Pack:
    """What was packed: its files in order, and the digest of the manifest that lists them."""

    entries: Sequence[Entry]
    manifest_sha256: str

    def sum_fen(self, file: str, column: str) -> int:
        """What a column of one of the files adds up to."""
        return next(entry.sums[column] for entry in self.entries if entry.file == file)


def manifest(entries: Sequence[Entry]) -> pl.DataFrame:
    """The manifest's rows, amounts in fen."""
    rows = [
        (one.file, one.title, one.rows, one.bytes, one.sha256, *(one.sums.get(k) for k in SUMS))
        for one in entries
    ]
    kinds = {column.key: pl.String if column.kind == "text" else pl.Int64 for column in MANIFEST}
    return pl.DataFrame(rows, schema=kinds, orient="row")


def manifest_table(entries: Sequence[Entry]) -> Table:
    """The list of files as a table."""
    return Table("manifest", "审计资料包清单", MANIFEST, whole(manifest(entries)))


def sample_tables(notes: pl.DataFrame, names: pl.DataFrame) -> tuple[Table, Table]:
    """The sample list and its reasons; `notes` ranked by `sample.scored`."""
    return (
        Table("sample", "抽查样本", sample.SAMPLE, whole(sample.sample(notes, names))),
        Table("by_risk", "按抽查理由汇总", sample.BY_RISK, whole(sample.by_risk(notes))),
    )


def define(*, cut: Cut, pack: Pack, samples: tuple[Table, Table]) -> Sheet:
    """The paper to be signed: every file with its digest, and that their sums are those of the books."""
    return cut.sheet(
        manifest_table(pack.entries),
        *samples,
        ties=_ties(cut, pack),
        notes=(
            f"manifest.csv 的 sha256 为 {pack.manifest_sha256}，应与 check.py 最后一行所示一致。",
            *FOOTNOTES,
            *sample.FOOTNOTES,
        ),
    )


def _ties(cut: Cut, pack: Pack) -> tuple[Tie, ...]:
    deductions, postings = "registers/deductions.csv", "registers/deduction-postings.csv"
    ledger = "registers/ledger.csv"
    held = {
        tier: sum(fen for (_, of), fen in cut.money.held.items() if of == tier) for tier in TIERS
    }
    return (
        *(
            Tie(f"{TIERS_ZH[tier]}：{name} = 代付贴息入账", pack.sum_fen(file, tier), held[tier])
            for tier in TIERS
            for file, name in ((deductions, "贴息抵减明细"), (postings, "入账明细"))
        ),
        Tie("资金账：借方 = 贷方", pack.sum_fen(ledger, "debit"), pack.sum_fen(ledger, "credit")),
    )
