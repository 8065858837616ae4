"""A note's whole life as one list of events in order of days; each app adds what it knows.

A source makes one query and gives at most `EVENTS_MAX` events, its first; the page shows `PAGE` events
at a time. However long a note's life, the number of queries is the number of sources.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext

from loans.admin.base import yuan
from loans.models import Note

EVENTS_MAX = 1_000
PAGE = 50
PARAMETER = "timeline"


Sum = tuple[Any, int, str]  # name, fen, currency


@dataclass(frozen=True)
class LifeEvent:
    """What happened on a day.

    `amount_fen` is None where the event is no amount. `tone` is "", "good", "bad" or "planned".
    `unfolds` is the address of more about it, fetched when the reader asks, under `unfold_title`.
    """

    on: date
    kind: Any
    what: Any
    amount_fen: int | None = None
    currency: str = ""
    tone: str = ""
    unfolds: str = ""
    unfold_title: Any = ""


@dataclass(frozen=True)
class Told:
    """What one source knows: events, sums, and where the rest is if it is cut."""

    events: Sequence[LifeEvent]
    sums: Sequence[Sum] = ()
    more: str = ""

    @property
    def is_cut(self) -> bool:
        """Does the source know more than it tells?"""
        return len(self.events) >= EVENTS_MAX


Source = Callable[[HttpRequest, Note], Told]
SOURCES: list[tuple[int, Source]] = []  # with the place among what happened on one day


@dataclass(frozen=True)
class Timeline:
    """One page of a note's life. `cut` names lists that go on where a source had to stop."""

    events: Sequence[LifeEvent]
    page: int
    pages: int
    total: int
    sums: Sequence[Sum] = ()
    cut: Sequence[str] = ()

    @property
    def earlier(self) -> int | None:
        """The page before."""
        return self.page - 1 if self.page > 1 else None

    @property
    def later(self) -> int | None:
        """The page after."""
        return self.page + 1 if self.page < self.pages else None


def register(place: int, source: Source) -> None:
    """Let a source tell of every note; the smaller the place, the earlier within a day."""
    SOURCES.append((place, source))


def timeline(request: HttpRequest, note: Note) -> Timeline:
    """The page of the note's life that the address asks for; the first if it asks for none there is."""
    told = [(place, source(request, note)) for place, source in SOURCES]
    events = [(place, event) for place, one in told for event in one.events]
    events.sort(key=lambda placed: (placed[1].on, placed[0]))
    pages = max(-(-len(events) // PAGE), 1)
    page = _asked(request, pages)
    return Timeline(
        events=[event for _place, event in events[(page - 1) * PAGE : page * PAGE]],
        page=page,
        pages=pages,
        total=len(events),
        sums=[pair for _place, one in told if not one.is_cut for pair in one.sums],
        cut=[one.more for _place, one in told if one.is_cut],
    )


def _asked(request: HttpRequest, pages: int) -> int:
    text = request.GET.get(PARAMETER, "")
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        return 1
    return min(max(int(text), 1), pages)


def shown(life: Timeline) -> dict[str, Any]:
    """The page as its template wants it: amounts in yuan, with the currency where it is another."""
    return {
        **{
            name: getattr(life, name)
            for name in ("page", "pages", "total", "earlier", "later", "cut")
        },
        "sums": [(name, _amount(fen, currency)) for name, fen, currency in life.sums],
        "events": [
            {**vars(event), "amount": _amount(event.amount_fen, event.currency)}
            for event in life.events
        ],
    }


def _amount(fen: int | None, currency: str) -> str:
    if fen is None:
        return ""
    return f"{yuan(fen)} {gettext('元') if currency in ('', 'CNY') else currency}"
