"""The way to the bank's identity provider and back; there only if one is configured."""

from __future__ import annotations

from typing import Any

from django.contrib import auth, messages
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from mozilla_django_oidc.views import OIDCAuthenticationRequestView

from config.kernel.models import SignIn
from config.kernel.services import oidc, sessions, signin

BACKEND = "config.kernel.services.oidc.OidcBackend"
STATES, NEXT = "oidc_states", "oidc_login_next"  # the library's own names


@never_cache
def come_back(request: HttpRequest) -> HttpResponse:
    """The provider's answer: sign the person in, or say that it was refused and write down why."""
    try:
        nonce, verifier = _asked(request)
        user = oidc.sign_in(request=request, nonce=nonce, code_verifier=verifier)
    except SuspiciousOperation as refusal:
        return _refuse(request, str(refusal))
    claims: dict[str, Any] = user.provider_claims  # type: ignore[attr-defined]
    next_page = request.session.pop(NEXT, None) or reverse("admin:index")
    auth.login(request, user, backend=BACKEND)
    if oidc.has_proved_more(claims):
        request.session[sessions.TRUSTED] = True
    return HttpResponseRedirect(next_page)


def _asked(request: HttpRequest) -> tuple[str, str | None]:
    """Nonce and verifier of the question this is the answer to; each is answered once."""
    state = request.GET.get("state", "")
    asked = request.session.get(STATES, {}).pop(state, None)
    request.session.modified = True
    if request.GET.get("error"):
        raise SuspiciousOperation("the provider refused")
    if asked is None or not request.GET.get("code"):
        raise SuspiciousOperation("no such question was asked from this browser (state)")
    return asked["nonce"], asked.get("code_verifier")


def _refuse(request: HttpRequest, why: str) -> HttpResponse:
    signin.record(
        event=SignIn.Event.REFUSED,
        at=timezone.localtime(),
        caller=signin.caller(request),
        method=SignIn.Method.SSO,
        detail=why,
    )
    messages.error(request, gettext("单点登录未成功，请重试或用密码登录"))
    return HttpResponseRedirect(reverse("admin:login"))


urlpatterns = [
    path("oidc/start/", OIDCAuthenticationRequestView.as_view(), name="oidc_start"),
    path("oidc/back/", come_back, name="oidc_callback"),
]
