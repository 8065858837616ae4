"""What an administrator does for a person who cannot come in, or must not: each asked for once more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.sections import Button
from config.kernel.models import SignIn, User
from config.kernel.services import second_factor, sessions, signin


class WhyForm(forms.Form):
    """Why it is done: written into the audit of sign-ins."""

    why = forms.CharField(label=_("原因"), max_length=200, widget=UnfoldAdminTextInputWidget())
    use_required_attribute = False


@dataclass(frozen=True)
class Act:
    """A step in the hands of one administrator, at one moment, with a reason."""

    person: User
    actor: str
    why: str
    at: datetime
    caller: signin.Caller


def _unlock(act: Act) -> None:
    second_factor.forgive(user=act.person)
    signin.unlock(user=act.person, actor=act.actor, why=act.why, at=act.at, caller=act.caller)


def _reset(act: Act) -> None:
    second_factor.reset(user=act.person, actor=act.actor, why=act.why, at=act.at, caller=act.caller)


def _end(act: Act) -> None:
    sessions.end_all(user=act.person)
    signin.record(
        event=SignIn.Event.SESSIONS_ENDED,
        at=act.at,
        caller=act.caller,
        user=act.person,
        actor=act.actor,
        detail=act.why,
    )


@dataclass(frozen=True)
class Step:
    """One of the steps: its title, what it means, and when it is offered."""

    title: Any
    meaning: Any
    icon: str
    take: Callable[[Act], None]
    is_offered: Callable[[User, datetime], bool]


STEPS = {
    "unlock": Step(
        _("解除锁定"),
        _("该用户名可立即在任何地址再试登录。请先确认失败的登录是本人所为。"),
        "lock_open",
        _unlock,
        lambda user, at: (
            signin.is_locked(user=user, at=at)
            or second_factor.seconds_to_wait(user=user, at=at) > 0
        ),
    ),
    "reset-factor": Step(
        _("重置双重验证"),
        _("作废验证器和恢复码并终止全部会话，下次登录时重新绑定。请先当面核实身份。"),
        "phonelink_erase",
        _reset,
        lambda user, at: second_factor.device_of(user=user) is not None,
    ),
    "end-sessions": Step(
        _("终止全部会话"),
        _("此人所有已登录的浏览器立即退出。"),
        "logout",
        _end,
        lambda user, at: True,
    ),
}


class PersonSteps(ReadOnlyAdmin):
    """The page of a person, with the steps; never on oneself."""

    def get_urls(self) -> list[Any]:
        """The steps' own addresses, before those of rows."""
        view = self.admin_site.admin_view(self.step_view)
        own = [
            path(f"<path:object_id>/{name}/", view, {"name": name}, name=f"kernel_user_{name}")
            for name in STEPS
        ]
        return [*own, *super().get_urls()]

    def row_buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Those that make sense for this person now."""
        at = timezone.localtime()
        return [
            Button(step.title, reverse(f"admin:kernel_user_{name}", args=[row.pk]), step.icon)
            for name, step in STEPS.items()
            if self._may(request, row) and step.is_offered(row, at)
        ]

    def _may(self, request: HttpRequest, row: Any) -> bool:
        return self.has_change_permission(request, row) and row.pk != request.user.pk

    def step_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask why, then do it."""
        person, step = self.row(request, object_id), STEPS[name]
        if not isinstance(person, User):
            raise Http404
        if not self._may(request, person):
            raise PermissionDenied
        form = WhyForm(request.POST or None)
        home = reverse("admin:kernel_user_change", args=[person.pk])
        if request.method == "POST" and form.is_valid():
            actor, why = request.user.get_username(), form.cleaned_data["why"]
            step.take(Act(person, actor, why, timezone.localtime(), signin.caller(request)))
            messages.success(request, f"{step.title}: {person.username}")
            return HttpResponseRedirect(home)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": person,
            "title": f"{step.title}: {person.username}",
            "button": step.title,
            "meaning": step.meaning,
            "form": form,
            "home": home,
        }
        return render(request, "kernel/person_step.html", context)
