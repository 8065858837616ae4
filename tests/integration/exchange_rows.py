"""What banks of a circle tell each other: a row in every table of it, of one note."""

from __future__ import annotations

from datetime import date, datetime

from config.kernel.models import Institution
from loans.models import Note
from settlement.models import ExchangeEntry, ExchangeFile, Probe, ProbeAnswer

DAYS = {"first_day": date(2026, 2, 2), "last_day": date(2027, 2, 1)}


def told(made: Note, of: Institution, at: datetime) -> None:
    """A hash of the note, a file that came, and a probe that was answered: without a conflict."""
    digest = f"{made.pk:064x}"
    ExchangeEntry.objects.create(
        institution=of,
        note=made,
        key_id="circle-1",
        kind="note",
        hash=digest,
        duty="central",
        **DAYS,
    )
    ExchangeFile.objects.create(
        institution=of, bank_code="B9", key_id="circle-1", made_on=date(2026, 4, 1), source="b9.csv",
        sha256=digest, outcome="taken", actor="maker", at=at,
    )  # fmt: skip
    asked = Probe.objects.create(
        institution=of, actor="client:core", key_id="circle-1", hashes=[digest],
        first_days=[DAYS["first_day"]], last_days=[DAYS["last_day"]], asked=1,
        request_id=digest, at=at,
    )  # fmt: skip
    ProbeAnswer.objects.create(institution=of, probe=asked, hits=0, at=at)
