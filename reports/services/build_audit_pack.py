"""审计资料包 from the database: the paper that lists it, and the zip itself."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reports.definitions import audit_pack as definition
from reports.definitions import sample as ranking
from reports.definitions.audit_pack import Pack
from reports.definitions.sheet import Sheet, Table
from reports.selectors import sample
from reports.services import build_register, ground
from reports.services.audit_pack import write_pack
from reports.services.filed import filed, papers

if TYPE_CHECKING:
    from reports.services.catalogue import Asked

CODE = "audit-pack"


def build(asked: Asked) -> Sheet:
    """The manifest with the sample: what `write` packs at the same cut, file by file."""
    cut = ground.cut(CODE, asked, unit_zh="明细为元，汇总为万元")
    samples = sampled(asked)
    with tempfile.TemporaryDirectory() as place:
        pack = _pack(asked, Path(place) / "pack.zip", samples)
    return definition.define(cut=cut, pack=pack, samples=samples.tables)


def write(asked: Asked, path: Path) -> Pack:
    """Write the pack itself, whole or not at all."""
    return _pack(asked, path, sampled(asked))


@dataclass(frozen=True)
class Sampled:
    """The sample list of a period, how many notes each reason holds for, and the notes listed."""

    tables: tuple[Table, Table]
    note_ids: Sequence[int]


def sampled(asked: Asked) -> Sampled:
    """What to look at first."""
    ranked = ranking.scored(sample.subsidised_notes(build_register.collected(asked)))
    listed = ranked["note_id"].head(ranking.MOST_ROWS).to_list()
    return Sampled(definition.sample_tables(ranked, sample.names(note_ids=listed)), listed)


def _pack(asked: Asked, path: Path, samples: Sampled) -> Pack:
    register = build_register.build(asked)
    listed = Sheet(register.heading, samples.tables)
    return write_pack(
        asked=asked,
        path=path,
        lists={
            "subsidy-register.csv": (register.heading.title_zh, register),
            "sample.csv": ("抽查样本", listed),
        },
        filed=[*papers(asked, note_ids=samples.note_ids), *filed(asked, but=CODE)],
    )
