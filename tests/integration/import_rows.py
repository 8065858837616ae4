"""The smallest rows of files: one on its way in, one accepted, one to be taken back."""

from datetime import datetime

from loans.models import FileImport, ImportBatch


def brought(institution_id: int, at: datetime) -> ImportBatch:
    """An accepted file of one note that is to be taken back, and one that is still looked at."""
    of = {"institution_id": institution_id}
    batch = ImportBatch.objects.create(
        **of, kind="notes", rows=1, inserted=1, corrected=0, unchanged=0, actor="system", at=at
    )
    batch.undos.create(**of, reason="试验", made_by="maker", made_at=at)
    FileImport.objects.create(
        **of, kind="notes", file_name="notes.csv", sha256="0" * 64, size=1, control_rows=1,
        made_by="maker", made_at=at,
    )  # fmt: skip
    return batch
