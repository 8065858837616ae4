"""审计资料包: registers, facts, sample, scheme texts and filed reports in one zip with a manifest.

A register is written to disk, added to the zip and removed before the next one, so that memory and
disk stay bounded; the zip appears whole or not at all, and one cut always gives the same bytes.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from config.kernel.services.export import Register, register_sums, write_register
from config.kernel.services.files import whole
from reports.definitions.audit_pack import SUMS, Entry, Pack, manifest_table
from reports.definitions.sheet import Heading, Sheet, Table
from reports.render import csv, pack
from reports.render.archive import Archive, archive
from reports.selectors.scheme_texts import scheme_texts
from settlement.resources import REGISTERS
from settlement.selectors.findings import FINDINGS

if TYPE_CHECKING:
    from reports.services.catalogue import Asked

CHANGES_BY_DAY = {"fund-ageing", "instructions"}  # they speak of today, not of a cut
PERSONAL = {
    "enterprise-contacts"
}  # of people at enterprises: what was told is listed with masked addresses
_OF_PERIOD = {"deductions", "deduction-postings", "notices", "syndicate-splits"}
_BY_DAY = {"payouts": {"days_overdue"}}


@dataclass(frozen=True)
class Filed:
    """A file of a report that finance has: its name in the pack and how to read it."""

    name: str
    title: str
    opened: Callable[[], BinaryIO]


def write_pack(
    *, asked: Asked, path: Path, lists: Mapping[str, tuple[str, Sheet]], filed: Iterable[Filed] = ()
) -> Pack:
    """Write the pack to a file; call it within one snapshot of the database.

    `lists`: file name → title and a sheet whose tables become CSV files; `filed`: reports that
    finance has. Returns what is in it. Everything is narrowed to the institutions asked about.
    """
    entries: list[Entry] = []
    with (
        whole(path) as partial,
        archive(partial) as out,
        tempfile.TemporaryDirectory() as place,
    ):
        folder = Path(place)
        entries += _texts(out)
        for name, (title, sheet) in lists.items():
            entries += _list(out, folder, name, title, sheet)
        for register in _registers():
            entries.append(_register(out, folder, register, asked))
        entries += _schemes(out, asked)
        for one in filed:
            with one.opened() as source:
                entries.append(Entry(one.name, one.title, *out.add(one.name, source)))
        digest = _manifest(out, folder, entries)
    return Pack(tuple(entries), digest)


def _texts(out: Archive) -> Iterator[Entry]:
    for name, title, text in (
        ("README.txt", "说明", pack.read_me()),
        ("check.py", "复核程序", pack.check_program()),
    ):
        yield Entry(name, title, *out.add(name, io.BytesIO(text)))


def _registers() -> list[Register]:
    every = {**REGISTERS, FINDINGS.name: FINDINGS}
    return [
        _lasting(every[name]) for name in sorted(every) if name not in CHANGES_BY_DAY | PERSONAL
    ]


def _lasting(register: Register) -> Register:
    """The register without columns that are another tomorrow."""
    dropped = _BY_DAY.get(register.name, set())
    return replace(register, fields=tuple(f for f in register.fields if f.key not in dropped))


def _register(out: Archive, folder: Path, register: Register, asked: Asked) -> Entry:
    path = folder / f"{register.name}.csv"
    filters = _filters(register, asked)
    write_register(
        register=register, path=path, file_format="csv", scope=asked.scope, filters=filters
    )
    rows, sums = register_sums(register=register, scope=asked.scope, filters=filters)
    name = f"registers/{path.name}"
    fen = {key: int(total * 100) for key, total in sums.items() if key in SUMS}
    return Entry(name, register.title_zh, *_moved(out, name, path), rows=rows, sums=fen)


def _filters(register: Register, asked: Asked) -> dict[str, str | date]:
    known = register.filters or {}
    filters: dict[str, str | date] = {}
    if asked.scheme_code is not None and "scheme" in known:
        filters["scheme"] = asked.scheme_code
    if register.name in _OF_PERIOD:
        filters["since"] = asked.period.start
        filters["until"] = asked.period.end - timedelta(days=1)
    return filters


def _list(out: Archive, folder: Path, name: str, title: str, sheet: Sheet) -> Iterator[Entry]:
    for table, path in zip(sheet.tables, csv.write(sheet, folder.joinpath(name)), strict=True):
        rows = sum(part.height for part in table.parts())
        yield Entry(path.name, title, *_moved(out, path.name, path), rows=rows)


def _schemes(out: Archive, asked: Asked) -> Iterator[Entry]:
    for code, version, text in scheme_texts(scheme_code=asked.scheme_code):
        name = f"schemes/{code}-v{version}.toml"
        yield Entry(name, "政策条款", *out.add(name, io.BytesIO(text.encode())))


def _manifest(out: Archive, folder: Path, entries: list[Entry]) -> str:
    table = manifest_table(entries)
    path = folder / "manifest.csv"
    csv.write(_bare(table), path)
    return _moved(out, path.name, path)[1]


def _bare(table: Table) -> Sheet:
    return Sheet(Heading("audit-pack", table.title_zh, "", "", "", "", "元"), (table,))


def _moved(out: Archive, name: str, path: Path) -> tuple[int, str]:
    """Add a file to the zip and take it off the disk."""
    with path.open("rb") as source:
        added = out.add(name, source)
    path.unlink()
    return added
