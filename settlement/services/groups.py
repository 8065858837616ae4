"""Enterprises whose subsidies depend on each other are always worked on together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from settlement.selectors import deductions
from settlement.services.schemes import Book

CHUNK_NOTES = 20_000


def closure(*, enterprise_ids: Iterable[int], book: Book) -> list[int]:
    """These enterprises and all that are coupled to them, in order."""
    coupled = _coupled(book)
    asked = set(enterprise_ids)
    touched = {coupled[enterprise] for enterprise in asked if enterprise in coupled}
    return sorted(asked | {e for e, root in coupled.items() if root in touched})


def chunks(*, notes: dict[int, int], book: Book) -> Iterator[list[int]]:
    """Cut enterprises (→ their number of notes) into lists of whole groups of a bounded size.

    Enterprises coupled to those given come along; a group larger than the bound stays whole.
    """
    coupled = _coupled(book)
    groups: dict[int, list[int]] = {}
    for enterprise in notes:
        groups.setdefault(coupled.get(enterprise, enterprise), [])
    for enterprise, root in coupled.items():
        if root in groups:
            groups[root].append(enterprise)
    chunk: list[int] = []
    size = 0
    for root in sorted(groups):
        members = groups[root] or [root]
        weight = sum(notes.get(enterprise, 1) for enterprise in members)
        if chunk and size + weight > CHUNK_NOTES:
            yield sorted(chunk)
            chunk, size = [], 0
        chunk += members
        size += weight
    if chunk:
        yield sorted(chunk)


def _coupled(book: Book) -> dict[int, int]:
    pro_rata = [terms.code for terms in book.terms if terms.fund_method == "pro_rata"]
    return deductions.components(pro_rata_schemes=pro_rata)
