"""What was judged of a note: the label it carries, its guarantee, and a label it misses."""

from datetime import date, datetime
from typing import Any

from loans.models import Note
from settlement.models import (
    BlockedSubsidy,
    Enrolment,
    GuaranteeSubsidy,
    MissedLabel,
    SchemeVersion,
)


def judged(made: Note, version: SchemeVersion, at: datetime) -> None:
    """One row of each kind."""
    of: dict[str, Any] = {"institution_id": made.institution_id, "note": made}
    Enrolment.objects.create(
        **of,
        scheme_code="central-sme-2026",
        position=0,
        status="eligible",
        eligible_fen=100_000_000,
        subsidised_from=date(2026, 1, 15),
        subsidised_until=date(2028, 1, 15),
        version=version,
    )
    GuaranteeSubsidy.objects.create(
        **of,
        guarantee=made.guarantees.get(),
        scheme_code="jiangsu-sports-2026",
        months=12,
        subsidy_fen=50_000,
        status="eligible",
    )
    BlockedSubsidy.objects.create(
        **of,
        enterprise=made.contract.enterprise,
        scheme=version.scheme,
        collections=1,
        central_fen=100,
        provincial_fen=0,
        municipal_fen=0,
    )
    MissedLabel.objects.create(
        **of,
        scheme_code="central-equipment-2026",
        eligible_fen=100_000_000,
        subsidised_from=date(2026, 1, 15),
        subsidised_until=date(2028, 1, 15),
        found_at=at,
    )
