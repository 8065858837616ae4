"""What becomes of a file: taken in with counts, or refused with every reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from config.kernel.models import Scope
from loans.files.problems import Problem
from loans.models import ImportBatch
from loans.values.errors import DomainError

REFUSED = "import_refused"
NOBODYS = Scope(lo=0, hi=0)  # of rows that belong to no institution, and no other


@dataclass(frozen=True)
class Source:
    """Where rows come from: who brings them, in which scope, when, and from which file."""

    actor: str
    at: datetime
    scope: tuple[int, int]
    file_name: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a file did: rows read, and of these new, corrected, and already known."""

    kind: str
    rows: int
    inserted: int
    corrected: int
    batch_id: int | None = None  # none if nothing changed (L9)

    @property
    def unchanged(self) -> int:
        """Rows that said what was known already."""
        return self.rows - self.inserted - self.corrected


class ImportRefused(DomainError):
    """A file was refused whole; `problems` lists every reason, by row and column."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.row)
        super().__init__(
            REFUSED,
            f"文件有 {len(problems)} 处错误，未保存任何数据"
            f" / {len(problems)} problems: nothing of the file was saved",
        )


def record_batch(*, outcome: Outcome, source: Source) -> int:
    """Keep what a file changed; returns the batch its rows belong to.

    It is its institution's to see; what came in for all institutions, or for none, the administrators'.
    """
    batch = ImportBatch.objects.create(
        kind=outcome.kind,
        file_name=source.file_name[:255],
        sha256=source.sha256,
        rows=outcome.rows,
        inserted=outcome.inserted,
        corrected=outcome.corrected,
        unchanged=outcome.unchanged,
        actor=source.actor,
        at=source.at,
        institution_id=source.scope[0] or None,
    )
    return int(batch.pk)
