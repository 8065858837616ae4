"""What the duplicate check has found, said as `tests.benchmarks.duplicate_plants` says what it must find."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from settlement.models import Finding, FindingSide

Matter = tuple[str, tuple[str, ...]]


def expected(folder: Path) -> Counter[Matter]:
    """What was planted into the book of a folder."""
    told = json.loads((folder / "expected.json").read_text())
    return Counter((rule, tuple(matters)) for rule, matters in told)


def found() -> Counter[Matter]:
    """Findings there are: the rule and the notes, outside records or funds it speaks of."""
    exact = Finding.objects.filter(gone_at=None).exclude(severity="proposal")
    there = {one.pk: one for one in exact}
    matters: dict[int, list[str]] = {pk: [] for pk in there}
    for finding, facts in FindingSide.objects.filter(finding__in=exact).values_list(
        "finding_id", "facts"
    ):
        matters[finding].append(_side(facts))
    return Counter(
        (one.rule, tuple(sorted(matters[pk])) or (_fund(one),)) for pk, one in there.items()
    )


def _side(facts: Mapping[str, Any]) -> str:
    if "source" in facts:
        return f"{facts['source']}/{facts['reference']}"
    return f"{facts['institution_code']}/{facts['note_number']}"


def _fund(one: Finding) -> str:
    """The fund and the money of which nothing was used, in yuan."""
    said = one.evidence
    assert one.scheme is not None
    return "/".join(
        (
            said["institution_code"], one.scheme.code, said["tier"], said["received_on"],
            str(said["amount_fen"] // 100),
        )
    )  # fmt: skip
