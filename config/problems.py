"""Errors where no page and no endpoint was reached: pages for people, problems (RFC 9457) for machines."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from config.kernel.api import problems

INTERFACE = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """A host that is not ours, a broken path."""
    if request.path_info.startswith(INTERFACE):
        return problems.bad_request(request, exception)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """No such address."""
    if request.path_info.startswith(INTERFACE):
        return problems.not_found(request)
    return defaults.page_not_found(request, exception)


@csrf_exempt
def nowhere(request: HttpRequest, rest: str) -> HttpResponse:  # noqa: ARG001 (a view)
    """An address of the interface that there is not."""
    return problems.not_found(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Something failed."""
    if request.path_info.startswith(INTERFACE):
        return problems.server_error(request)
    return defaults.server_error(request)
