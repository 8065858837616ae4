"""`explain`: one note's judgement and deductions as steps a person can redo."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand
from config.kernel.selectors import institution_range
from loans.selectors.notes import NoteCard
from settlement.management.explanation_form import write_form
from settlement.management.explanation_text import page
from settlement.services.explained import Explanation
from settlement.services.explanations import explain, find_notes


class Command(ProjectCommand):
    """See `--help`."""

    help = (
        "逐步说明一笔借据的资格与贴息，附条款 / "
        "explain a note's judgement and deductions as steps to redo, with articles"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which note, and which of its collections."""
        super().add_arguments(parser)
        parser.add_argument("note_number", metavar="NOTE_NUMBER", help="借据号 / note number")
        parser.add_argument(
            "--collection", metavar="REF", help="只说明这笔收息（流水号）/ only this collection"
        )
        parser.add_argument(
            "--pdf", type=Path, metavar="FILE", help="写成 PDF，每笔收息一页 / as PDF, a page each"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or typeset the explanation; exit 1 if the note is unknown or not the only one."""
        number, reference = options["note_number"], options["collection"]
        narrowed = self.scope(options)
        own = self.scope({**options, "institution": None})
        asked = institution_range(options["institution"]) if options["institution"] else None
        note = self._only(number, find_notes(note_number=number, scope=own, asked=asked))
        try:
            found = explain(note=note, scope=narrowed, collection=reference)
        except LookupError as missing:
            raise CommandError(
                f"借据 {number} 没有流水号为 {reference} 的已收利息 / "
                "no interest collected on this note under this reference"
            ) from missing
        if options["pdf"] is None:
            self.stdout.write(page(found))
        else:
            self._paper(found, options["pdf"], one_collection=reference is not None)

    def _paper(self, found: Explanation, path: Path, *, one_collection: bool) -> None:
        """Write the explanation as PDF, whole or not at all."""
        try:
            count = write_form(found, path, one_collection=one_collection)
        except OSError as error:
            raise CommandError(f"无法写入 {path} / cannot write there: {error.strerror}") from error
        self.stdout.write(f"{found.note.note_number}: {count} 份说明 forms → {path}")

    def _only(self, number: str, notes: Sequence[NoteCard]) -> NoteCard:
        if not notes:
            raise CommandError(f"范围内没有借据号 {number} / no note of this number in your scope")
        if len(notes) > 1:
            lines = [
                f"  {n.institution_code} {n.institution_name} {n.enterprise_name}" for n in notes
            ]
            raise CommandError(
                f"{len(notes)} 家机构有借据号 {number}，请用 --institution 指明 / "
                "several institutions have a note of this number, choose one with --institution:\n"
                + "\n".join(lines)
            )
        return notes[0]
