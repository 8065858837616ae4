"""The pages at the door: sign-in, lockout, second factor, own password, own sign-ins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import qrcode
import qrcode.image.svg
from django import forms
from django.conf import settings
from django.contrib import admin, auth, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django_otp import login as mark_verified
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from config.kernel.middleware import door
from config.kernel.models import SignIn, User
from config.kernel.services import passwords, second_factor, sessions, signin

Event, Method = SignIn.Event, SignIn.Method
WAITING_DEVICE = "kernel_waiting_device"  # in the session that is binding it
METHODS = {
    # (by single sign-on, by authenticator)
    (False, True): Method.CODE,
    (False, False): Method.RECOVERY,
    (True, True): Method.SSO_CODE,
    (True, False): Method.SSO_RECOVERY,
}


class SignInForm(AuthenticationForm):  # type: ignore[misc]
    """Name and password; what is refused is written down."""

    def clean(self) -> Any:
        """Note a refusal; a lockout is noted where its page is made."""
        try:
            return super().clean()
        except ValidationError:
            if not getattr(self.request, "axes_locked_out", False):
                self._note()
            raise

    def _note(self) -> None:
        name = self.cleaned_data.get("username") or ""
        user = User.objects.filter(username=name).first()
        signin.record(
            event=Event.REFUSED,
            at=timezone.localtime(),
            caller=signin.caller(self.request),
            user=user,
            username=name,
            method=Method.PASSWORD,
            detail=_why_refused(user),
        )


def _why_refused(user: User | None) -> str:
    """In both languages: the audit is kept, whoever reads it."""
    if user is None:
        return "未登记的用户名 / unknown name"
    if not user.is_active:
        return "用户已停用 / inactive"
    return "密码不符或无后台权限 / wrong password, or no access to the admin"


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: Mapping[str, Any] | None
) -> HttpResponse:
    """Too many failures: the page that says so, and until when; the name's being real stays hidden."""
    name = str((credentials or {}).get("username") or "")
    signin.record(
        event=Event.LOCKED,
        at=timezone.localtime(),
        caller=signin.caller(request),
        user=User.objects.filter(username=name).first(),
        username=name,
        method=Method.PASSWORD,
    )
    minutes = settings.AXES_COOLOFF_TIME.seconds // 60
    context = {**_context(request, _("暂时锁定")), "minutes": minutes}
    return render(request, "kernel/locked.html", context, status=429)


class CodeForm(forms.Form):
    """One code, as people type it."""

    code = forms.CharField(
        label=_("验证码"),
        max_length=20,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "inputmode": "text", "autofocus": True}
        ),
    )
    use_required_attribute = False


def _context(request: HttpRequest, title: Any, **more: Any) -> dict[str, Any]:
    return {**admin.site.each_context(request), "title": title, **more}


def _next(request: HttpRequest) -> str:
    """Where the person was going; only ever a page of this site."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return asked if is_ours else reverse("admin:index")


def _asker(request: HttpRequest) -> User | None:
    """Who asks, if they may be here at all."""
    user = door.person(request)
    return user if user is not None and user.is_staff else None


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(
        f"{reverse('admin:login')}?{urlencode({'next': request.get_full_path()})}"
    )


@never_cache
@sensitive_post_parameters("code")
def check_code(request: HttpRequest) -> HttpResponse:
    """Prove the second factor: six digits, or a recovery code."""
    user = _asker(request)
    if user is None:
        return _to_sign_in(request)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = second_factor.verify(user=user, code=form.cleaned_data["code"])
        if device is not None:
            return _let_in(request, user, device)
        _refuse_code(request, user, form)
    title = _("双重验证")
    context = _context(request, title, form=form, next=_next(request))
    return render(request, "kernel/second_factor.html", context)


def _let_in(request: HttpRequest, user: User, device: Any) -> HttpResponse:
    """The person is wholly in: a new session key, the audit, and when they were here before."""
    mark_verified(request, device)
    request.session.cycle_key()
    is_totp = device.model_label() == "otp_totp.totpdevice"
    signin.record(
        event=Event.SIGNED_IN,
        at=timezone.localtime(),
        caller=signin.caller(request),
        user=user,
        method=METHODS[sessions.is_sso(session=request.session), is_totp],
    )
    door.tell_last(request)
    if not is_totp:
        left = gettext("已用去一个恢复码，还剩 %(count)d 个")
        messages.warning(request, left % {"count": second_factor.codes_left(user=user)})
    return HttpResponseRedirect(_next(request))


def _refuse_code(request: HttpRequest, user: User, form: CodeForm) -> None:
    at = timezone.localtime()
    signin.record(event=Event.CODE_REFUSED, at=at, caller=signin.caller(request), user=user)
    wait = second_factor.seconds_to_wait(user=user, at=at)
    text = gettext("验证码不正确、已用过或已过期；请在 %(seconds)d 秒后用新的验证码再试")
    form.add_error("code", text % {"seconds": wait})


@never_cache
@sensitive_post_parameters("code")
def enrol(request: HttpRequest) -> HttpResponse:
    """Bind an authenticator: scan or type its key, prove it by a code, keep the recovery codes."""
    user = _asker(request)
    if user is None:
        return _to_sign_in(request)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        codes = second_factor.confirm(
            user=user,
            waiting_id=request.session.get(WAITING_DEVICE),
            code=form.cleaned_data["code"],
            at=timezone.localtime(),
            caller=signin.caller(request),
        )
        if codes is not None:
            return _enrolled(request, user, codes)
        _refuse_code(request, user, form)
    device = second_factor.start_enrolment(
        user=user, waiting_id=request.session.get(WAITING_DEVICE)
    )
    request.session[WAITING_DEVICE] = device.pk
    context = _context(
        request,
        _("绑定双重验证"),
        form=form,
        next=_next(request),
        drawing=_drawn(device.config_url),
        key=second_factor.manual_key(device),
        required=user.needs_second_factor,
    )
    return render(request, "kernel/enrol.html", context)


def _enrolled(request: HttpRequest, user: User, codes: list[str]) -> HttpResponse:
    """Show the recovery codes this once; this session goes on, verified, all others ended."""
    was_in = sessions.standing(session=request.session, user=user, at=timezone.localtime())
    mark_verified(request, second_factor.device_of(user=user))
    auth.update_session_auth_hash(request, user)
    if was_in is sessions.Standing.ENROL:
        signin.record(
            event=Event.SIGNED_IN,
            at=timezone.localtime(),
            caller=signin.caller(request),
            user=user,
            method=METHODS[sessions.is_sso(session=request.session), True],
        )
        door.tell_last(request)
    return _codes_page(request, codes)


def _codes_page(request: HttpRequest, codes: list[str]) -> HttpResponse:
    context = _context(request, _("恢复码"), codes=codes, next=_next(request))
    return render(request, "kernel/recovery_codes.html", context)


@never_cache
@require_POST
def new_codes(request: HttpRequest) -> HttpResponse:
    """Ten new recovery codes for who has an authenticator and is wholly in."""
    user = _asker(request)
    if user is None or second_factor.device_of(user=user) is None:
        return HttpResponseRedirect(reverse("own_sign_ins"))
    codes = second_factor.make_recovery_codes(
        user=user, at=timezone.localtime(), caller=signin.caller(request)
    )
    return _codes_page(request, codes)


def _drawn(address: str) -> str:
    """The address as a drawing to scan, inside the page: its secret goes nowhere else."""
    made = qrcode.make(address, image_factory=qrcode.image.svg.SvgPathImage, box_size=8, border=4)
    drawing: str = made.to_string(encoding="unicode")
    return mark_safe(drawing)  # noqa: S308 (drawn here, no one's input in it)


def change_own_password(request: HttpRequest) -> HttpResponse:
    """Django's own page; a change is written down, and every other session ends with the old password."""
    response: HttpResponse = admin.site.password_change(request)
    user = door.person(request)
    if request.method == "POST" and response.status_code == 302 and user is not None:
        passwords.was_changed(user=user, by_another=False)
        signin.record(
            event=Event.PASSWORD_CHANGED,
            at=timezone.localtime(),
            caller=signin.caller(request),
            user=user,
        )
    return response


@never_cache
def own_sign_ins(request: HttpRequest) -> HttpResponse:
    """One's own last sign-ins, second factor and sessions."""
    user = _asker(request)
    if user is None:
        return _to_sign_in(request)
    context = _context(
        request,
        _("我的登录"),
        last=door.last_words(request),
        rows=SignIn.objects.filter(user=user).order_by("-id")[:20],
        device=second_factor.device_of(user=user),
        codes_left=second_factor.codes_left(user=user),
        required=user.needs_second_factor,
    )
    return render(request, "kernel/own_sign_ins.html", context)


@never_cache
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End every session of one's own but this one."""
    user = _asker(request)
    if user is None:
        return _to_sign_in(request)
    sessions.end_all(user=user)
    auth.update_session_auth_hash(request, user)
    signin.record(
        event=Event.SESSIONS_ENDED,
        at=timezone.localtime(),
        caller=signin.caller(request),
        user=user,
    )
    messages.success(request, gettext("其他会话已全部终止"))
    return HttpResponseRedirect(reverse("own_sign_ins"))
