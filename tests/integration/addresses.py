"""Every address the site answers, read from its own list, and what kind of address each is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

from loans.admin.steps import StepForm, StepsAdmin

ROW = re.compile(r"^<(?:[a-z]+:)?(?:object_id|id)>/")
PARAMETER = re.compile(r"<(?:(?P<converter>[a-z]+):)?(?P<name>\w+)>")
STOCK = {"": "list", "add/": "add"}
STOCK_ROW = {
    "": "forward",
    "change/": "change",
    "delete/": "delete",
    "history/": "history",
    "password/": "password",
}
SITE = frozenset({
    "index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n",
    "view_on_site", "app_list", "search", "set_language", "second_factor", "second_factor_enrol",
    "recovery_codes", "change_own_password", "own_sign_ins", "end_sessions",
})  # fmt: skip
BY_ROUTE = {"": "root", "healthz/": "health", "admin/(?P<url>.*)$": "rest"}


@dataclass(frozen=True)
class Address:
    """One entry of the list. `page` is the model it belongs to, `step` the form it shows."""

    route: str
    kind: str
    page: str = ""
    step: type[StepForm] | None = None

    @property
    def of_row(self) -> bool:
        """Does it name a row?"""
        return "object_id>" in self.route or "<id>" in self.route

    def path(self, pk: object = "") -> str:
        """The address for a row; what else it asks for is given the number 1."""

        def value(found: re.Match[str]) -> str:
            return str(pk) if found["name"] in ("object_id", "id") else "1"

        plain = re.sub(r"\^?\(\?P<\w+>([^)|]*)[^)]*\)", r"\1", self.route).removesuffix("$")
        return "/" + PARAMETER.sub(value, plain).replace(".*", "nowhere")


def addresses() -> list[Address]:
    """All of them, in the order they are tried."""
    return [_known(route, name) for route, name in _walk(get_resolver())]


def _walk(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, route)
        elif isinstance(entry, URLPattern):
            yield route, entry.name or ""


def _known(route: str, name: str) -> Address:
    for model, page in admin.site._registry.items():
        start = f"admin/{model._meta.app_label}/{model._meta.model_name}/"
        if route.startswith(start):
            return _of_page(route, route.removeprefix(start), model._meta.label_lower, page)
    if route.startswith(("api/", "health/", "metrics")):
        return Address(route, "interface")
    if route in BY_ROUTE:
        return Address(route, BY_ROUTE[route])
    return Address(route, name if name in SITE else "unknown")


def _of_page(route: str, rest: str, label: str, page: Any) -> Address:
    of_row = ROW.match(rest)
    tail = rest[of_row.end() :] if of_row else rest
    stock = STOCK_ROW if of_row else STOCK
    if tail in stock:
        return Address(route, stock[tail], label)
    if isinstance(page, StepsAdmin):
        step = (page.row_steps if of_row else page.list_steps).get(tail.removesuffix("/"))
        if step is not None:
            return Address(route, "step", label, step)
    return Address(route, "further", label)
