"""What all endpoints do alike: one transaction, one caller, one scope, one shape of errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.db import models, transaction
from django.utils import timezone
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from config.kernel.api import idempotency, problems, signatures
from config.kernel.api.authentication import Caller, TokenAuthentication
from config.kernel.api.bodies import StrictJSONParser
from config.kernel.api.problems import Fault, Problem
from config.kernel.api.throttling import ClientThrottle
from config.kernel.models import Institution, Scope
from config.kernel.services import provenance, scope, signin, statements

URL_MAX = 300
READING = frozenset({"GET", "HEAD"})
_Row = TypeVar("_Row", bound=models.Model)


class HasScope(BasePermission):
    """Whether the token was granted what the action asks for."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """A method that the address does not have is told so later (405)."""
        caller = request.user
        needed = view.needs.get(view.action)
        return isinstance(caller, Caller) and (needed is None or needed in caller.granted)


class Endpoint(ViewSet):
    """Base of every endpoint.

    `needs`: the OAuth scope each action asks for. `money`: actions that move money, which need an
    Idempotency-Key and, of clients that sign, a signature. `is_final`: exceptions that are a rule's
    refusal, as a Problem (see `refusal`).
    """

    authentication_classes = [TokenAuthentication]
    permission_classes = [HasScope]
    throttle_classes = [ClientThrottle]
    parser_classes = [StrictJSONParser]
    renderer_classes = [JSONRenderer]
    http_method_names = ["get", "head", "post"]
    needs: ClassVar[Mapping[str, str]] = {}
    money: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def as_view(cls, actions: Any = None, **options: Any) -> Any:
        """An address without its last slash is another one: nobody is led on, which loses a POST's body."""
        view = super().as_view(actions, **options)
        view.should_append_slash = False  # type: ignore[attr-defined]
        return view

    @property
    def caller(self) -> Caller:
        """Who asks; only after authentication."""
        caller = self.request.user
        assert isinstance(caller, Caller), "permission comes first"
        return caller

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, then begin."""
        super().initial(request, *args, **kwargs)
        self.begin()

    def begin(self) -> None:
        """Until the transaction ends: whose rows are shown, and who changes what is changed, from where."""
        caller = self.caller
        told = scope.of_client(caller.pk, seen=caller.only)
        if self.request.method not in READING:
            told |= provenance.settings_of(
                user=caller.actor,
                address=signin.client_address(self.request._request),  # noqa: SLF001
                url=self.request.path[:URL_MAX],
            )
        statements.set_local(told)

    def get_exception_handler(self) -> Callable[..., Response | None]:
        """Errors are problems (RFC 9457)."""
        return self._handle

    def _handle(self, error: Exception, context: Mapping[str, Any]) -> Response | None:
        return problems.handle(self.refusal(error) or error, context)

    def refusal(self, error: Exception) -> Problem | None:  # noqa: ARG002 (apps above know their own)
        """The exception as a rule's refusal, if it is one."""
        return None

    def acted(
        self,
        act: Callable[[datetime], Response],
        *,
        at_once: Callable[[datetime], Response | None] | None = None,
    ) -> Response:
        """Do what a POST asks for, once per Idempotency-Key; refusals by a rule are answers, too.

        `at_once` is tried first where there is a short way for ordinary requests. It gives None with
        nothing done where `act` has to do it, and what it raises undoes the whole request.
        """
        at = timezone.localtime()
        is_money = self.action in self.money
        self.request.data  # noqa: B018 (read and refused before a key or a nonce is used up)
        if is_money and self.caller.client.requires_signature:
            raw = getattr(self.request._request, "api_body", b"")  # noqa: SLF001 (b"": there was none)
            signatures.verify(request=self.request, client=self.caller.client, body=raw, at=at)
        if not is_money and idempotency.HEADER not in self.request.headers:
            return self._answered(act, at_once, at)
        asked = idempotency.asked(request=self.request, caller=self.caller, at=at)
        return idempotency.once(request=asked, act=lambda: self._answered(act, at_once, at))

    def _answered(
        self,
        act: Callable[[datetime], Response],
        at_once: Callable[[datetime], Response | None] | None,
        at: datetime,
    ) -> Response:
        """The effect in a savepoint of its own, which a refusal undoes."""
        done = None if at_once is None else at_once(at)
        if done is not None:
            return done
        try:
            with transaction.atomic():
                return act(at)
        except Exception as error:
            problem = self.refusal(error)
            if problem is None or not problem.is_final:
                raise
            return problems.answer(problem, self.request)

    def within(self, code: str, pointer: str = "/institution_code") -> tuple[Institution, Scope]:
        """Work in the part of the caller's scope that holds this institution from here on.

        Problem `refused_content` if there is no such institution there; whether there is one elsewhere is not said.
        """
        place = Institution.objects.filter(code=code).first()
        found = self.caller.parts([code]).get(code)
        if place is None or found is None:
            message = (
                "未登记的机构编码，或不在授权范围内 / unknown institution, or outside your scope"
            )
            raise Problem(
                "refused_content", faults=[Fault(pointer, "unknown_reference", message, code)]
            )
        scope.set_scope(*found)
        return place, found

    def found(self, rows: models.QuerySet[_Row], pk: str) -> _Row:
        """The row of that number in any part of the caller's scope, which is the scope from here on."""
        number = _number(pk)
        for part in self.caller.ranges:
            scope.set_scope(*part)
            row = rows.filter(pk=number).first()
            if row is not None:
                return row
        raise Problem("not_found")


def _number(text: str) -> int:
    """A row's number; whatever is none names no row."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise Problem("not_found")
    return int(text)
