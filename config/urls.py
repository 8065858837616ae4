"""Addresses of the web site: the admin is the site."""

from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config import problems
from config.kernel.admin import signing_in, single_sign_on
from config.kernel.api import health
from config.kernel.api.tokens import token


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 (a view)
    """Say whether the web reaches its database; for load balancers and container health checks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


def nowhere(request: HttpRequest, rest: str) -> HttpResponse:  # noqa: ARG001 (a view)
    """The admin's way from a row to its page on the site: there is no other site than this."""
    raise Http404


# Before the admin's own: its page for one's own password is ours.
DOOR: list[URLPattern] = [
    path("second-factor/", signing_in.check_code, name="second_factor"),
    path("second-factor/enrol/", signing_in.enrol, name="second_factor_enrol"),
    path("second-factor/recovery-codes/", signing_in.new_codes, name="recovery_codes"),
    path(
        "password_change/",
        admin.site.admin_view(signing_in.change_own_password, cacheable=False),
        name="change_own_password",
    ),
    path("my-sign-ins/", signing_in.own_sign_ins, name="own_sign_ins"),
    path("my-sign-ins/end/", signing_in.end_sessions, name="end_sessions"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", include(DOOR)),
    path("admin/r/<path:rest>", nowhere, name="view_on_site"),
    path("admin/", admin.site.urls),
    path("healthz/", healthz),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("metrics", health.numbers),
    path("api/v1/oauth/token/", token, name="token"),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="api-docs"),
    path("api/v1/", include("config.kernel.api.urls")),
    path("api/v1/", include("loans.api.urls")),
    path("api/v1/", include("settlement.api.urls")),
    path("api/v1/", include("reports.api.urls")),
    path("api/<path:rest>", problems.nowhere),  # settings with DEBUG would show a page of their own
    *(single_sign_on.urlpatterns if settings.OIDC_ISSUER else []),
]
handler400 = problems.bad_request
handler404 = problems.not_found
handler500 = problems.server_error
