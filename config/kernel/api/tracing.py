"""Every request has a name, is counted, and its errors speak the language of the interface."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config.kernel.api import problems
from config.kernel.services import metrics, tracing

GetResponse = Callable[[HttpRequest], HttpResponse]
HEADER = "X-Request-ID"
INTERFACE = "/api/"
logger = logging.getLogger(__name__)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class TracingMiddleware:
    """Outermost: names the request in its answer and in every line of the log."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, and count it by the pattern of its address."""
        name = tracing.begin(given=request.headers.get(HEADER, ""))
        started = time.perf_counter_ns()
        response = self.get_response(request)
        found = request.resolver_match
        metrics.note(
            method=request.method if request.method in METHODS else "other",
            route=found.route if found is not None else "none",
            status=response.status_code,
            took_ns=time.perf_counter_ns() - started,
        )
        response.headers[HEADER] = name
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A problem for machines, also where DEBUG would make a page; what it did is undone already."""
        if not request.path_info.startswith(INTERFACE):
            return None
        problem = problems.problem_of(exception) or problems.Problem("failed")
        logger.error("%s", problem.code, exc_info=exception)
        return problems.plain_answer(problem, request)
