"""History of reference data: the row as it was before each change or removal, written by triggers.

Triggers also see what bulk SQL changes. Evidence and bulk results are append-only and need none.
"""

from collections.abc import Callable
from typing import TypeVar

import pghistory
import pgtrigger
from django.db import models

_Model = TypeVar("_Model", bound=type[models.Model])

BEFORE_CHANGE = "before_change"
BEFORE_DELETE = "before_delete"


def tracked(*, moves: bool = False) -> Callable[[_Model], _Model]:
    """Keep every former state of a row in the model's event table.

    `moves`: the row belongs to a note, so its institution changes only when the note is moved to
    another institution; the note transfer records that, not this table's history.
    """
    condition = pgtrigger.AnyChange(exclude=["institution"]) if moves else pgtrigger.AnyChange()
    decorator: Callable[[_Model], _Model] = pghistory.track(
        pghistory.UpdateEvent(BEFORE_CHANGE, row="OLD", condition=condition),
        pghistory.DeleteEvent(BEFORE_DELETE),
    )
    return decorator
