"""A paper of a note and its withdrawal, as small as they get."""

from datetime import datetime

from loans import models as loans
from settlement import models as settlement


def withdrawn(made: loans.Note, at: datetime) -> None:
    """One paper in the archive, entered and withdrawn; the note's shelf is there, and empty."""
    of = {"institution_id": made.institution_id, "note": made, "made_by": "maker", "made_at": at}
    paper = loans.Paper.objects.create(**of, kind="use_of_funds", archive_number="档1")
    loans.PaperWithdrawal.objects.create(**of, paper=paper, why="试验")


def asked(version: settlement.SchemeVersion, **changes: object) -> settlement.PaperRule:
    """A text that asks every note for the record of how its money was used."""
    return settlement.PaperRule.objects.create(
        **{
            "version": version,
            "position": 0,
            "kind": "use_of_funds",
            "per": "note",
            "with_equipment": False,
            "blocks": False,
            "say_zh": "请登记资金用途跟踪记录",
            "say_en": "enter the record of the use of funds",
            "article": "三(三)",
            **changes,
        }
    )


def judged(made: loans.Note, version: settlement.SchemeVersion) -> None:
    """The note is subsidised under the text."""
    settlement.Enrolment.objects.create(
        institution_id=made.institution_id,
        note=made,
        scheme_code=version.scheme.code,
        position=0,
        status="eligible",
        eligible_fen=100_000_000,
        version=version,
    )
