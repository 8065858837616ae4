"""History of reference data: the row as it was before each change or removal, written by triggers.

Triggers also see what bulk SQL changes. Evidence and bulk results are append-only and need none.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import pghistory
import pgtrigger
from django.db import models

_Model = TypeVar("_Model", bound=type[models.Model])

ADDED = "added"
BEFORE_CHANGE = "before_change"
BEFORE_DELETE = "before_delete"


def tracked(
    *, moves: bool = False, added: bool = False, exclude: Sequence[str] = ()
) -> Callable[[_Model], _Model]:
    """Keep every former state of a row in the model's event table.

    `moves`: the row belongs to a note, so its institution changes only when the note is moved to
    another institution; the note transfer records that, not this table's history.
    `added`: also that a row was added, for small tables filled by hand rather than by file.
    `exclude`: columns that are neither kept nor looked at.
    """
    unwatched = [*exclude, *(["institution"] if moves else [])]
    condition = pgtrigger.AnyChange(exclude=unwatched) if unwatched else pgtrigger.AnyChange()
    decorator: Callable[[_Model], _Model] = pghistory.track(
        pghistory.UpdateEvent(BEFORE_CHANGE, row="OLD", condition=condition),
        pghistory.DeleteEvent(BEFORE_DELETE),
        *([pghistory.InsertEvent(ADDED)] if added else []),
        exclude=list(exclude) or None,
    )
    return decorator
