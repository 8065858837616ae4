"""The door: a session begins, goes on, ends; who still has something to prove gets no further."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext

from config.kernel.models import SignIn, User
from config.kernel.services import passwords, second_factor, sessions, signin
from config.kernel.services.sessions import Standing

Event, Method = SignIn.Event, SignIn.Method

# Where each has to go first, and the pages (by name) that are open to them until they did.
FIRST = {
    Standing.CODE: "second_factor",
    Standing.ENROL: "second_factor_enrol",
    Standing.PASSWORD: "change_own_password",
}
ALWAYS_OPEN = frozenset(
    {"admin:login", "admin:logout", "set_language", "healthz", "oidc_start", "oidc_callback"}
)
OPEN = {
    Standing.CODE: ALWAYS_OPEN | {"second_factor"},
    Standing.ENROL: ALWAYS_OPEN | {"second_factor_enrol"},
    Standing.PASSWORD: ALWAYS_OPEN | {"change_own_password"},
}


def person(request: HttpRequest) -> User | None:
    """Who asks, if it is somebody?"""
    user = request.user
    return user if isinstance(user, User) else None


def enter(request: HttpRequest) -> tuple[bool, HttpResponse | None]:
    """May the person see rows, and is there an answer already: go elsewhere first?"""
    user = person(request)
    if user is None:
        return False, None
    at = timezone.localtime()
    if not sessions.is_begun(session=request.session):
        begin(request, user, at)
    where = sessions.standing(session=request.session, user=user, at=at)
    if where is Standing.EXPIRED:
        return False, _expire(request, user, at)
    if not is_watching(request):
        sessions.touch(session=request.session, at=at)
    if where is Standing.IN:
        return True, None
    if _page(request) in OPEN[where]:
        return False, None
    return False, HttpResponseRedirect(_with_next(reverse(FIRST[where]), request))


def is_watching(request: HttpRequest) -> bool:
    """Does a page look again by itself, with nobody who did anything? It keeps no session alive."""
    return "X-Watching" in request.headers


def leave(request: HttpRequest, before: User | None) -> None:
    """After the view: note who came in or went out by it."""
    after, at = person(request), timezone.localtime()
    if after is None:
        if before is not None and not hasattr(request, "kernel_expired"):
            signin.record(event=Event.SIGNED_OUT, at=at, caller=signin.caller(request), user=before)
    elif not sessions.is_begun(session=request.session):
        begin(request, after, at)


def begin(request: HttpRequest, user: User, at: datetime) -> None:
    """A person came in by password or single sign-on; whether that is enough is the standing's matter."""
    session = request.session
    last = signin.last_sign_in(user=user)
    sessions.begin(
        session=session,
        at=at,
        has_factor=second_factor.device_of(user=user) is not None,
        password_due=passwords.digest(user=user) if passwords.is_due(user=user, at=at) else "",
        last=None if last is None else [last.at.isoformat(), last.address, last.failures],
    )
    where = sessions.standing(session=session, user=user, at=at)
    waits = where in {Standing.CODE, Standing.ENROL}
    signin.record(
        event=Event.CODE_AWAITED if waits else Event.SIGNED_IN,
        at=at,
        caller=signin.caller(request),
        user=user,
        method=Method.SSO if sessions.is_sso(session=session) else Method.PASSWORD,
    )
    if not waits:
        tell_last(request)


def tell_last(request: HttpRequest) -> None:
    """Say when and from where the person came in before: only they can tell if it was them."""
    text = last_words(request)
    if text:
        messages.info(request, text)


def last_words(request: HttpRequest) -> str:
    """The sign-in before this one, in words; empty if there was none."""
    last = request.session.get(sessions.LAST)
    if not last:
        return ""
    at, address, failures = last
    moment = timezone.localtime(datetime.fromisoformat(at))
    text = gettext("上次登录 %(at)s，地址 %(address)s") % {
        "at": f"{moment:%Y-%m-%d %H:%M}",
        "address": address or "—",
    }
    if failures:
        text += gettext("；此后失败 %(count)d 次") % {"count": failures}
    return text


def _expire(request: HttpRequest, user: User, at: datetime) -> HttpResponse:
    signin.record(event=Event.EXPIRED, at=at, caller=signin.caller(request), user=user)
    request.kernel_expired = True  # type: ignore[attr-defined]
    auth.logout(request)
    minutes = settings.SESSION_IDLE_SECONDS // 60
    text = gettext("会话已超时（%(minutes)d 分钟无操作，或登录已满时限），请重新登录")
    messages.info(request, text % {"minutes": minutes})
    return HttpResponseRedirect(_with_next(reverse("admin:login"), request))


def _page(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).view_name
    except Resolver404:
        return ""


def _with_next(address: str, request: HttpRequest) -> str:
    """The address, with where the person was going if they were only looking."""
    if request.method != "GET":
        return address
    return f"{address}?{urlencode({'next': request.get_full_path()})}"
