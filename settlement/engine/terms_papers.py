"""Which papers a scheme asks for, as its file says it: `[[papers]]`, each with its article."""

from __future__ import annotations

from settlement.engine.terms_model import PaperRule
from settlement.engine.terms_read import Table

PAPER_KINDS = (
    "borrower_undertaking",
    "supplementary_agreement",
    "invoice",
    "payment_proof",
    "use_of_funds",
    "commitment_letter",
    "eligibility_proof",
    "other",
)


def read_papers(top: Table) -> tuple[PaperRule, ...]:
    """Every paper asked for; a kind is asked for once.

    Their sources stay with the rules: papers change no amount, so no trace or footnote cites them.
    """
    rules: list[PaperRule] = []
    for row in top.rows("papers"):
        row.source()
        source = row.problems.citations.pop()
        rule = PaperRule(
            kind=row.word("kind", PAPER_KINDS),
            per=row.word("per", ("note", "institution")),
            with_equipment=row.flag("with_equipment") if row.has("with_equipment") else False,
            blocks=row.word("missing", ("warn", "block"), "warn") == "block",
            say_zh=row.text("say_zh"),
            say_en=row.text("say_en"),
            article=source.article,
            assumed_because=source.assumed_because,
        )
        if rule.with_equipment and rule.per != "note":
            row.add("with_equipment", "只用于借据的资料", "is for papers of notes only")
        if rule.kind in {known.kind for known in rules}:
            row.add("kind", f"重复要求 {rule.kind}", f"asks for {rule.kind} again")
        row.done()
        rules.append(rule)
    return tuple(rules)
