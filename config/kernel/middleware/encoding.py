"""Nothing but UTF-8 comes in."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]
INTERFACE = "/api/"


class EncodingMiddleware:
    """Refuse a body in another encoding before anybody reads it.

    Django decodes multipart fields by the charset the client names. Some of those make texts that
    neither the database nor an answer can hold, so a request of one's choice would end in an error,
    and take back with it what had to stay: failed sign-ins, refused codes.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 400 to a named charset that is not UTF-8."""
        if request.path_info.startswith(
            INTERFACE
        ):  # which answers 415, and reads nothing but UTF-8
            return self.get_response(request)
        named = (request.content_params or {}).get("charset", "utf-8")
        if named.strip().lower() not in {"utf-8", "utf8"}:
            told = "请求须为 UTF-8 编码 / requests are read as UTF-8 only\n"
            return HttpResponse(told, status=400, content_type="text/plain; charset=utf-8")
        return self.get_response(request)
