"""The book at a glance: money by scheme and tier."""

from __future__ import annotations

from dataclasses import dataclass

from config.kernel.services.bulk import rows


@dataclass(frozen=True)
class SchemeLine:
    """One scheme: labels, eligible notes, collections with a deduction, and fen by tier."""

    scheme_code: str
    labels: int
    eligible: int
    collections: int
    central_fen: int
    provincial_fen: int
    municipal_fen: int

    @property
    def total_fen(self) -> int:
        """All tiers together."""
        return self.central_fen + self.provincial_fen + self.municipal_fen


def by_scheme() -> list[SchemeLine]:
    """One line per scheme, in the order of their codes."""
    found = rows(
        """
        SELECT s.code, coalesce(l.labels, 0), coalesce(l.eligible, 0), coalesce(d.collections, 0),
               coalesce(d.central, 0)::bigint, coalesce(d.provincial, 0)::bigint,
               coalesce(d.municipal, 0)::bigint
        FROM settlement_scheme s
        LEFT JOIN (
            SELECT scheme_code, count(*) AS labels,
                   count(*) FILTER (WHERE status = 'eligible') AS eligible
            FROM settlement_enrolment GROUP BY 1
        ) l ON l.scheme_code = s.code
        LEFT JOIN (
            SELECT scheme_id, count(DISTINCT collection_id) AS collections, sum(central_fen) AS central,
                   sum(provincial_fen) AS provincial, sum(municipal_fen) AS municipal
            FROM settlement_deduction GROUP BY 1
        ) d ON d.scheme_id = s.id
        ORDER BY s.code
        """
    )
    return [SchemeLine(*row) for row in found]


def busiest() -> tuple[str, int] | None:
    """Of which bank, and of which year, are there the most deductions? None if there are none."""
    found = rows(
        "SELECT r.code, extract(year FROM d.collected_on)::integer FROM settlement_deduction d"
        " JOIN kernel_institution r ON r.parent_id IS NULL AND d.institution_id BETWEEN r.id AND r.last_id"
        " GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2 LIMIT 1"
    )
    return found[0] if found else None


def sizes() -> dict[str, int]:
    """How many notes, eligible notes, collections and posted rows are there?"""
    ((notes, eligible, collections, posted),) = rows(
        "SELECT (SELECT count(*) FROM loans_note), "
        "(SELECT count(DISTINCT note_id) FROM settlement_enrolment WHERE status = 'eligible'), "
        "(SELECT count(*) FROM loans_interestcollection WHERE interest_paid_fen IS NOT NULL), "
        "(SELECT count(*) FROM settlement_deduction)"
    )
    return {
        "notes": notes,
        "eligible_notes": eligible,
        "collections": collections,
        "deductions": posted,
    }
