"""Small form pages of administrators, each of which calls one service; a secret is shown this once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from config.kernel.admin.access import is_administrator
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.sections import Button


@dataclass(frozen=True)
class Secret:
    """What only this answer says: the number of the key and the key; `home`: where to go on."""

    key_id: str
    text: str
    home: str


class ActForm(forms.Form):
    """One step: who may take it, on which rows it is offered, and what it calls."""

    title: Any = ""
    note: Any = ""  # what the person should know before
    done: Any = ""
    icon = ""
    use_required_attribute = False  # our own words, and for all fields at once

    def __init__(self, row: Any = None, data: Any = None) -> None:
        super().__init__(data)
        self.row = row

    @classmethod
    def fits(cls, row: Any) -> bool:
        """Is it offered on the page of this row (None: of the list)?"""
        return True

    def act(self, *, actor: str, at: datetime) -> Secret | None:
        """Call the service; ValidationError says why not."""
        raise PermissionDenied

    def take(self, *, actor: str) -> tuple[bool, Secret | None]:
        """Take the step, all of it or nothing; whether it was taken, and a secret if one came of it."""
        if not self.is_valid():
            return False, None
        try:
            with transaction.atomic():
                return True, self.act(actor=actor, at=timezone.localtime())
        except ValidationError as refusal:
            self.add_error(None, refusal)
            return False, None


def text_field(label: Any, *, longest: int, help_text: Any = "") -> forms.CharField:
    """A line of text."""
    return forms.CharField(
        label=label,
        max_length=longest,
        help_text=help_text,
        widget=UnfoldAdminTextInputWidget(),
    )


Acts = Mapping[str, type[ActForm]]


class ActsAdmin(ReadOnlyAdmin):
    """A page with administrators' steps: those of the list, and those of a row."""

    list_acts: Acts = {}
    row_acts: Acts = {}

    def get_urls(self) -> list[Any]:
        """The steps' own addresses, before those of rows."""
        view = self.admin_site.admin_view(self.act_view)
        lists = [
            path(f"{name}/", view, {"name": name}, self._page(name)) for name in self.list_acts
        ]
        rows = [
            path(f"<path:object_id>/{name}/", view, {"name": name}, self._page(name))
            for name in self.row_acts
        ]
        return [*lists, *rows, *super().get_urls()]

    def _page(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def list_buttons(self, request: HttpRequest) -> list[Button]:
        """The list's steps."""
        return self._buttons(request, self.list_acts, None)

    def row_buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """The row's steps that make sense for it now."""
        return self._buttons(request, self.row_acts, row)

    def _buttons(self, request: HttpRequest, acts: Acts, row: Any) -> list[Button]:
        keys: Sequence[Any] = [] if row is None else [row.pk]
        return [
            Button(form.title, reverse(f"admin:{self._page(name)}", args=keys), form.icon)
            for name, form in acts.items()
            if self.may_act(request) and form.fits(row)
        ]

    def may_act(self, request: HttpRequest) -> bool:
        """Administrators who see the page."""
        return is_administrator(request) and self.has_view_permission(request)

    def act_view(
        self, request: HttpRequest, name: str, object_id: str | None = None
    ) -> HttpResponse:
        """Show the form, or take the step and go back to the row, or show the secret that came of it."""
        if not self.may_act(request):
            raise PermissionDenied
        row = None if object_id is None else self.row(request, object_id)
        if object_id is not None and row is None:
            raise Http404
        form = (self.list_acts if row is None else self.row_acts)[name](
            row, request.POST if request.method == "POST" else None
        )
        taken, secret = form.take(actor=request.user.get_username())
        if secret is not None:
            return self._drawn(request, "kernel/secret.html", form, row, secret=secret)
        if taken:
            self.message_user(request, str(form.done), messages.SUCCESS)
            return HttpResponseRedirect(self._home(row))
        return self._drawn(request, "kernel/act.html", form, row)

    def _home(self, row: Any) -> str:
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if row is None:
            return reverse(f"{page}_changelist")
        return reverse(f"{page}_change", args=[row.pk])

    def _drawn(
        self, request: HttpRequest, template: str, form: ActForm, row: Any, **more: Any
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": form.title,
            "opts": self.opts,
            "form": form,
            "named": "" if row is None else self.named(row),
            "home": self._home(row),
            **more,
        }
        return TemplateResponse(request, template, context)
