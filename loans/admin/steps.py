"""Steps: small form pages, each of which calls one service and shows what it refuses at the field."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext

from config.kernel.admin.access import CHECKERS, MAKERS, has_role, may_check_for_all
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.sections import Button, Section, Stage
from config.kernel.models import Role
from loans.admin.base import own_language
from loans.values.errors import DomainError


def digest_of(shown: Sequence[Section]) -> str:
    """Of everything that these tables say, to tell whether it still is what somebody looked at."""
    told = [
        (str(section.title), [[str(cell) for cell in row] for row in section.rows])
        for section in shown
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()


class StepForm(forms.Form):
    """One step. Subclasses say who may take it, on which rows it is offered, and what it calls.

    Whoever answers for another's work answers for what the page showed: its digest goes with the form
    (`seen`), and if it says something else by then the step is not taken and the page shown anew.
    """

    title: Any = ""
    button: Any = ""
    icon = ""
    note: Any = ""  # what the person should know before
    done: Any = ""
    roles: frozenset[Role] = MAKERS  # who may take it
    is_for_all = False  # True: it decides for every institution, so head offices' checkers take it
    at_field: Mapping[str, str] = {}  # refusal code → the field that has to change
    use_required_attribute = (
        False  # our own words, in the person's language, and for all fields at once
    )

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        sent = data is not None
        super().__init__(
            data,
            files=request.FILES if sent else None,
            initial=None if sent else dict(request.GET.items()),
        )
        self.request, self.row = request, row
        if self.answers_for_others():
            self.fields["seen"] = forms.CharField(widget=forms.HiddenInput, required=False)

    @classmethod
    def answers_for_others(cls) -> bool:
        """Is it a step of those who check what others made?"""
        return cls.is_for_all or cls.roles <= CHECKERS

    @classmethod
    def may(cls, request: HttpRequest) -> bool:
        """May this person take the step at all?"""
        return may_check_for_all(request) if cls.is_for_all else has_role(request, cls.roles)

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Is it offered on the page of this row (or, without a row, of the list)?"""
        return True

    def sections(self) -> list[Section]:
        """Tables shown above the fields."""
        return []

    def shown(self) -> list[Section]:
        """The tables as they are now; from here on it is they that were seen."""
        found = self.sections()
        if "seen" in self.fields:
            self.initial["seen"] = digest_of(found)
            if self.is_bound:
                sent: Any = self.data
                sent = sent.copy()
                sent["seen"] = self.initial["seen"]
                self.data = sent
        return found

    def is_as_seen(self) -> bool:
        """Do the tables still say what the person looked at?"""
        return "seen" not in self.fields or self.data.get("seen") == digest_of(self.sections())

    def act(self, *, actor: str, at: datetime) -> Any:
        """Call the service; DomainError says why not."""
        raise PermissionDenied

    def refuse(self, refusal: DomainError) -> None:
        """Show a refusal where the person can do something about it."""
        field = self.at_field.get(refusal.code)
        self.add_error(field if field in self.fields else None, own_language(str(refusal)))

    def told(self, outcome: Any) -> str:
        """What is said once it is done."""
        return str(self.done)

    def leads_to(self, outcome: Any) -> str:
        """The address of the page shown then; empty for the row's own."""
        return ""

    def take(self) -> tuple[bool, Any]:
        """Take the step, all of it or nothing; whether it was taken, and what came of it."""
        if not self.is_valid():
            return False, None
        if not self.is_as_seen():
            self.add_error(None, gettext("内容在您查看后有变化，请重新核对"))
            return False, None
        try:
            with transaction.atomic():
                actor, at = self.request.user.get_username(), timezone.localtime()
                return True, self.act(actor=actor, at=at)
        except DomainError as refusal:
            self.refuse(refusal)
            return False, None


class AnswerForm(StepForm):
    """A step by which a second person answers for what another made."""

    roles = CHECKERS

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Made by another and waiting."""
        return bool(row.checked_by is None and row.made_by != request.user.get_username())


Steps = Mapping[str, type[StepForm]]


class StepsAdmin(ReadOnlyAdmin):
    """A page with steps: those of the list, and those of a row."""

    list_steps: Steps = {}
    row_steps: Steps = {}
    change_form_outer_before_template = "kernel/stages.html"

    def get_urls(self) -> list[Any]:
        """The steps' own addresses, before those of rows."""
        view = self.admin_site.admin_view(self.step_view)
        lists = [
            path(f"{name}/", view, {"name": name}, name=self._page(name))
            for name in self.list_steps
        ]
        rows = [
            path(f"<path:object_id>/{name}/", view, {"name": name}, name=self._page(name))
            for name in self.row_steps
        ]
        return [*lists, *rows, *super().get_urls()]

    def _page(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def stages(self, request: HttpRequest, row: Any) -> list[Stage]:
        """The row's way from its beginning to its end; empty for rows without one."""
        return []

    def next_step(self, request: HttpRequest, row: Any) -> str:
        """What comes next, and whose turn it is."""
        return ""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page, with where the row stands."""
        row = self.row(request, object_id) if object_id else None
        way = self._way(request, row if self.has_view_permission(request, row) else None)
        return super().changeform_view(
            request, object_id, form_url, {**way, **(extra_context or {})}
        )

    def _way(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        if row is None:
            return {}
        return {"stages": self.stages(request, row), "next_step": self.next_step(request, row)}

    def list_buttons(self, request: HttpRequest) -> list[Button]:
        """The list's steps for this person."""
        return self._buttons(request, self.list_steps, None)

    def row_buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """The row's steps for this person."""
        return self._buttons(request, self.row_steps, row)

    def _buttons(self, request: HttpRequest, steps: Steps, row: Any) -> list[Button]:
        keys: Sequence[Any] = [] if row is None else [row.pk]
        return [
            Button(form.title, reverse(f"admin:{self._page(name)}", args=keys), form.icon)
            for name, form in steps.items()
            if form.may(request) and form.fits(request, row)
        ]

    def step_view(
        self, request: HttpRequest, name: str, object_id: str | None = None
    ) -> HttpResponse:
        """Show the form, or take the step and go on to what came of it."""
        form_class = (self.list_steps if object_id is None else self.row_steps)[name]
        if not (self.has_view_permission(request) and form_class.may(request)):
            raise PermissionDenied
        row = None if object_id is None else self.row(request, object_id)
        if object_id is not None and row is None:
            raise Http404
        is_sent = request.method == "POST"
        form = form_class(request, row, request.POST if is_sent else None)
        taken, outcome = form.take() if is_sent else (False, None)
        if taken:
            self.message_user(request, form.told(outcome), messages.SUCCESS)
            return HttpResponseRedirect(form.leads_to(outcome) or self._home(row))
        return self._shown(request, form, row)

    def _home(self, row: Any) -> str:
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if row is None:
            return reverse(f"{page}_changelist")
        return reverse(f"{page}_change", args=[row.pk])

    def _shown(self, request: HttpRequest, form: StepForm, row: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": form.title,
            "opts": self.opts,
            "form": form,
            "row": row,
            "named": "" if row is None else self.named(row),
            "sections": form.shown(),
            "home": self._home(row),
            **self._way(request, row),
        }
        return TemplateResponse(request, "loans/step.html", context)
