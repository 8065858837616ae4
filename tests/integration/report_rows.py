"""The smallest rows of reports."""

from datetime import date, datetime

from reports import models as reports


def filed(institution_id: int, at: datetime) -> None:
    """A report of January with its file, and its obligation, of which somebody was reminded."""
    of = {"institution_id": institution_id}
    reports.Report.objects.create(
        **of, code="new-loans", scheme_code="central-sme-2026", period="2026-01", version=1,
        content_sha256="0" * 64, totals=[], ties=[], ledger_entry=1, ledger_entries=1,
        ledger_chain="0" * 64, facts_position=1, terms_key="1", made_by="maker", made_at=at,
    ).files.create(
        **of, role="report", format="csv", name="new-loans.csv", size=1, sha256="0" * 64
    )  # fmt: skip
    reports.Obligation.objects.create(
        **of, scheme_code="central-sme-2026", code="new-loans", period="2026-01",
        due_on=date(2026, 2, 5), last_working_day=date(2026, 2, 5), draft_from=date(2026, 2, 1),
        addressee="对口财政部门", article="财金〔2026〕4号 二(三)",
    ).reminders.create(**of, day=date(2026, 2, 4), recipients="a@example.com", at=at)  # fmt: skip
