"""Numbering institutions as a tree, so that `id … last_id` is an institution with all below it.

A number never changes and never moves, so rows keep their scope for ever; hence a parent never changes
either (a branch that closes hands over its notes instead).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from config.kernel.models import Institution
from config.kernel.services import bulk

SIZES = (2**48, 2**32, 2**18, 2**6, 1)  # how many numbers an institution has at each depth
ROOTS_MAX = 2**15 - 1
REGISTER_LOCK = 0x696E7374


@dataclass(frozen=True)
class InstitutionRow:
    """What a file says of an institution; a blank `parent_code` makes it a root."""

    code: str
    name: str
    level: str
    parent_code: str
    region_code: str


@dataclass(frozen=True)
class InstitutionProblem:
    """Why a row was refused. `index` counts the given rows from 0; `column` is the field blamed."""

    index: int
    column: str
    value: str
    message: str


class InstitutionsRefused(Exception):
    """Some rows break a rule of the tree; nothing was saved."""

    def __init__(self, problems: Iterable[InstitutionProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.value}: {p.message}" for p in self.problems))


@dataclass(frozen=True)
class Registered:
    """Every given code's number, and how many institutions were new or corrected."""

    ids: dict[str, int]
    inserted: int
    corrected: int


@transaction.atomic
def register_institutions(*, rows: Sequence[InstitutionRow]) -> Registered:
    """Register institutions, parents in any order; known codes get their other fields corrected.

    Raises InstitutionsRefused with every row that has an unknown parent, a circle of parents, another
    parent than before, or no number left for it; nothing is saved then.
    """
    bulk.rows("SELECT pg_advisory_xact_lock(%s)::text", [REGISTER_LOCK])
    stored = {institution.code: institution for institution in Institution.objects.all()}
    tree = _Tree(stored, rows)
    tree.number()
    if tree.problems:
        raise InstitutionsRefused(sorted(tree.problems, key=lambda problem: problem.index))
    Institution.objects.bulk_create(tree.new)
    changed = _correct(stored, rows)
    Institution.objects.bulk_update(changed, ["name", "level", "region_code"], batch_size=500)
    ids = {row.code: int(tree.known[row.code].id) for row in rows}
    return Registered(ids=ids, inserted=len(tree.new), corrected=len(changed))


def _correct(
    stored: Mapping[str, Institution], rows: Iterable[InstitutionRow]
) -> list[Institution]:
    """Give stored institutions their new fields; returns those that changed."""
    changed = []
    for row in rows:
        institution = stored.get(row.code)
        content = (row.name, row.level, row.region_code)
        if institution is None or content == (
            institution.name,
            institution.level,
            institution.region_code,
        ):
            continue
        institution.name, institution.level, institution.region_code = content
        changed.append(institution)
    return changed


class _Tree:
    """The stored tree and the rows to be put into it."""

    def __init__(self, stored: Mapping[str, Institution], rows: Sequence[InstitutionRow]) -> None:
        self.known = dict(stored)
        self.new: list[Institution] = []
        self.problems: list[InstitutionProblem] = []
        self._rows: dict[str, tuple[int, InstitutionRow]] = {}
        self._last_child: dict[int | None, int] = {}
        self._codes = {institution.id: institution.code for institution in stored.values()}
        for institution in stored.values():
            self._count_child(institution)
        for index, row in enumerate(rows):
            self._accept(index, row)

    def _accept(self, index: int, row: InstitutionRow) -> None:
        first = self._rows.setdefault(row.code, (index, row))[1]
        if first != row:
            self._refuse(
                index,
                "institution_code",
                row.code,
                "同一机构两行内容不同 / listed twice, differently",
            )
        stored = self.known.get(row.code)
        if stored is not None and self._parent_code(stored) != row.parent_code:
            self._refuse(
                index,
                "parent_code",
                row.parent_code,
                f"上级机构不得变更（现为 {self._parent_code(stored) or '无'}），撤并请用借据划转"
                " / a parent never changes: transfer the notes instead",
            )

    def _parent_code(self, institution: Institution) -> str:
        return "" if institution.parent_id is None else self._codes[institution.parent_id]

    def _refuse(self, index: int, column: str, value: str, message: str) -> None:
        self.problems.append(InstitutionProblem(index, column, value, message))

    def _count_child(self, institution: Institution) -> None:
        last = max(self._last_child.get(institution.parent_id, 0), institution.id)
        self._last_child[institution.parent_id] = last

    def number(self) -> None:
        """Number every new row, parents before children, whatever their order."""
        children: dict[str, list[str]] = {}
        ready = []
        for code, (index, row) in self._rows.items():
            if code in self.known:
                continue
            if row.parent_code == "" or row.parent_code in self.known:
                ready.append(code)
            elif row.parent_code in self._rows:
                children.setdefault(row.parent_code, []).append(code)
            else:
                self._refuse(
                    index,
                    "parent_code",
                    row.parent_code,
                    "未登记的上级机构 / unknown parent institution",
                )
        for code in ready:
            self._place(code)
            ready += children.pop(code, ())
        self._refuse_rest(children)

    def _refuse_rest(self, children: Mapping[str, Sequence[str]]) -> None:
        """What is never reached hangs on a circle, or on a row refused already."""
        refused = {problem.index for problem in self.problems}
        for codes in children.values():
            for code in codes:
                index, row = self._rows[code]
                if index not in refused and self._circles(code):
                    self._refuse(
                        index,
                        "parent_code",
                        row.parent_code,
                        "上级机构成环 / parents form a circle",
                    )

    def _circles(self, code: str) -> bool:
        seen = {code}
        while code in self._rows:
            code = self._rows[code][1].parent_code
            if code in seen:
                return True
            seen.add(code)
        return False

    def _place(self, code: str) -> None:
        index, row = self._rows[code]
        parent = self.known.get(row.parent_code) if row.parent_code else None
        if row.parent_code and parent is None:
            return  # the parent was refused, and blamed for it
        depth = 0 if parent is None else SIZES.index(parent.last_id - parent.id + 1) + 1
        if depth == len(SIZES):
            self._refuse(
                index,
                "parent_code",
                row.parent_code,
                f"机构层级超过 {len(SIZES)} 级 / tree too deep",
            )
            return
        size = SIZES[depth]
        above = 0 if parent is None else parent.id
        number = max(self._last_child.get(parent.id if parent else None, 0), above) + size
        if number + size - 1 > (
            SIZES[0] * (ROOTS_MAX + 1) - 1 if parent is None else parent.last_id
        ):
            self._refuse(
                index, "parent_code", row.parent_code, "下级机构数量已满 / no number left below it"
            )
            return
        self._add(row, parent, number, size)

    def _add(self, row: InstitutionRow, parent: Institution | None, number: int, size: int) -> None:
        institution = Institution(
            id=number,
            last_id=number + size - 1,
            code=row.code,
            name=row.name,
            level=row.level,
            parent=parent,
            region_code=row.region_code,
        )
        self.known[row.code] = institution
        self.new.append(institution)
        self._count_child(institution)
