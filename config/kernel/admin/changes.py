"""What a change did to a row: each column before and after, by whom, when and from where.

The event tables keep the row as it was before each change; how it was after is the next event's row, or
the row as it is now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import ForeignKey, Model, OuterRef, Subquery
from django.utils.translation import gettext

from config.kernel.models.history import ADDED, BEFORE_DELETE

OWN = ("pgh_id", "pgh_created_at", "pgh_label", "pgh_obj", "pgh_context", "pgh_context_id", "id")
SHOWN = 60  # letters of a value in a list


@dataclass(frozen=True)
class Change:
    """One column's change; values as stored."""

    field: Any
    before: Any
    after: Any


def attach(events: Sequence[Any]) -> None:
    """Give each event of one table its `kernel_changes`, with a fixed number of queries for all."""
    if not events:
        return
    model = type(events[0])
    after = _states_after(model, events)
    for event in events:
        event.kernel_changes = _changes(model, event, after.get(event.pk))


def _states_after(model: type[Model], events: Iterable[Any]) -> dict[int, Any]:
    """The state of each event's row after the change."""
    following = (
        model._default_manager.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pk__gt=OuterRef("pk"))  # noqa: SLF001 (Django's public name)
        .order_by("pk")
        .values("pk")[:1]
    )
    pks = [event.pk for event in events]
    found = model._default_manager.filter(pk__in=pks).annotate(following=Subquery(following))  # noqa: SLF001
    next_pks = dict(found.values_list("pk", "following"))
    states = model._default_manager.in_bulk([pk for pk in next_pks.values() if pk])  # noqa: SLF001
    tracked: type[Model] = model.pgh_tracked_model  # type: ignore[attr-defined]
    now = tracked._default_manager.in_bulk([event.pgh_obj_id for event in events])  # noqa: SLF001
    return {
        event.pk: states.get(next_pks.get(event.pk)) or now.get(event.pgh_obj_id)
        for event in events
    }


def _changes(model: type[Model], event: Any, after: Any) -> list[Change]:
    """Columns that differ; every column for a row added or removed is said by the event itself."""
    if event.pgh_label in {ADDED, BEFORE_DELETE} or after is None:
        return []
    fields = [f for f in model._meta.concrete_fields if f.name not in OWN]  # noqa: SLF001
    return [
        Change(field, getattr(event, field.attname), getattr(after, field.attname))
        for field in fields
        if getattr(event, field.attname) != getattr(after, field.attname)
    ]


def named(changes: Iterable[Change]) -> dict[tuple[str, Any], str]:
    """What the rows that changed columns refer to are called: one query per column that refers."""
    asked: dict[str, tuple[Any, set[Any]]] = {}
    for change in changes:
        if isinstance(change.field, ForeignKey):
            keys = asked.setdefault(change.field.attname, (change.field, set()))[1]
            keys.update({change.before, change.after} - {None})
    found = {}
    for attname, (field, keys) in asked.items():
        for key, row in field.related_model._default_manager.in_bulk(keys).items():  # noqa: SLF001
            found[attname, key] = str(row)
    return found


def who(event: Any) -> str:
    """Who made the change; what is not known is said to be so."""
    return str(_context(event).get("user") or gettext("未记录"))


def from_where(event: Any) -> str:
    """The address and page it came from, or the command."""
    context = _context(event)
    command = context.get("command")
    if command:
        return f"manage.py {command}"
    return " ".join(str(context[key]) for key in ("address", "url") if context.get(key))


def _context(event: Any) -> Mapping[str, Any]:
    context = event.pgh_context
    return {} if context is None else context.metadata
