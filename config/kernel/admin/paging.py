"""Page numbers without counting a whole table."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

COUNT_MAX = 10_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than `COUNT_MAX` rows: whoever needs more narrows the search."""

    template_name = "kernel/pagination.html"

    @cached_property
    def count(self) -> int:
        """How many rows are there, at most `COUNT_MAX`?"""
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[:COUNT_MAX].count())

    def page(self, number: Any) -> Page[Any]:
        """The page's keys first, from an index as a rule; then just those rows with all they refer to.

        In one statement the database would join every row that the page leaves out before it.
        """
        wanted = self.validate_number(number)
        rows: Any = self.object_list
        first = (wanted - 1) * self.per_page
        keys = list(rows.values_list("pk", flat=True)[first : first + self.per_page])
        return Page(rows.filter(pk__in=keys), wanted, self)

    @property
    def is_cut(self) -> bool:
        """May there be more rows than were counted?"""
        return self.count >= COUNT_MAX


class BoundedChangeList(ChangeList):  # type: ignore[misc]
    """A list that calls itself by its page's names, and "all of it" only where something is left out."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.opts = self.model_admin.opts

    def get_results(self, request: HttpRequest) -> None:
        """Without a question the whole list is what is shown."""
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count
