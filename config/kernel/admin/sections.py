"""Tables below the fields of a page: what belongs to the row, each with one query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

SECTION_ROWS = 100


@dataclass(frozen=True)
class Column:
    """A column: its title, and whether it holds amounts (aligned right)."""

    title: Any
    is_number: bool = False


@dataclass(frozen=True)
class Section:
    """A titled table.

    `more` is the address of the whole list where the rows here are only the first; `empty` says what
    it means, or what to do, when there are none.
    """

    title: Any
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    more: str = ""
    empty: Any = ""

    def cells(self) -> list[list[dict[str, Any]]]:
        """The rows with each value beside its column, for the template."""
        return [
            [
                {"column": c, "value": v, "is_day": isinstance(v, date)}
                for c, v in zip(self.columns, row, strict=True)
            ]
            for row in self.rows
        ]


@dataclass(frozen=True)
class Button:
    """A link to a step, at the top of a page; `icon` is the name of a Material symbol."""

    title: Any
    address: str
    icon: str = ""

    def shown(self) -> dict[str, Any]:
        """As the page's template wants it."""
        return {
            "title": self.title,
            "path": self.address,
            "icon": self.icon,
            "variant": ActionVariant.DEFAULT,
            "attrs": {},
            "dialog": None,
        }


@dataclass(frozen=True)
class Stage:
    """One station of a row's way: `done`, `now`, `todo` or `off` (it ended here), who, and when."""

    title: Any
    standing: str
    who: str = ""
    when: Any = None


MakeSection = Callable[[HttpRequest, Any], Section]


def texts(*titles: Any) -> list[Column]:
    """Columns of text and dates."""
    return [Column(title) for title in titles]


def numbers(*titles: Any) -> list[Column]:
    """Columns of amounts and counts."""
    return [Column(title, is_number=True) for title in titles]


def link(model: str, pk: Any, text: Any) -> SafeString:
    """The text as a link to the page of that row: `link("loans_note", 5, "JJ1")`."""
    url = reverse(f"admin:{model}_change", args=[pk])
    return format_html('<a href="{}" class="text-link">{}</a>', url, text)


def list_address(model: str, **filters: Any) -> str:
    """The address of a filtered list."""
    query = "&".join(f"{key}={value}" for key, value in filters.items())
    return f"{reverse(f'admin:{model}_changelist')}?{query}"
