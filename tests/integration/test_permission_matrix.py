"""Who gets in where: every address × everybody × one's own and another bank's rows.

The addresses are the site's own list; what to expect follows from the kind of address and from the
rules below (contract §7). An address of a kind not named here fails. Whatever is refused is also
proved to have changed nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.urls import reverse

from config.kernel.models import Institution, Role, Run, SignIn, User
from loans.models import Enterprise
from settlement.tasks import find_missed_labels
from tests import database
from tests.integration import rows
from tests.integration.addresses import Address, addresses
from tests.integration.samples import SIGNING_IN, state
from tests.integration.signed_in import client_of
from tests.integration.test_admin import (
    BANKS_OWN,
    CODE,
    DRAFTS,
    HISTORIES,
    OTHER_CODE,
    TOLD,
    WEBHOOKS,
    complete_book,
    person,
    url,
)

pytestmark = pytest.mark.django_db

PEOPLE = {"kernel.user"}  # administrators alone
SIGN_INS = {"kernel.signin", "kernel.userevent", *TOLD}  # administrators and auditors
INSTALLATION = {"kernel.chunk", "settlement.assessment", *WEBHOOKS}  # who sees every institution
EVERYBODYS = {"reports.workingdayexception"}  # brought in by who sees every institution
MAKES, CHECKS = {Role.MAKER, Role.MANAGER}, {Role.CHECKER}
ACTIONS = {"make": MAKES, "end": MAKES, "check": CHECKS}  # by permission
FOR_ALL = {"loans.usccconfirmation", "settlement.schemeversion"}  # belong to no institution
OWN_DOOR = {"logout", "second_factor_enrol", "recovery_codes", "end_sessions"}  # of oneself
METHODS = {"add": ("post",), "delete": ("post",), "history": ("get",), "forward": ("get",)}
LOGIN, HOME = reverse("admin:login"), reverse("admin:index")


@dataclass(frozen=True)
class Somebody:
    """A person who asks; without a role somebody who is not signed in."""

    name: str
    role: str | None
    client: Client
    everywhere: bool = False

    def sees(self, page: str) -> bool:
        """Does the page let them in?"""
        if page in PEOPLE:
            return self.role == Role.ADMINISTRATOR
        if page in SIGN_INS:
            return self.role in {Role.ADMINISTRATOR, Role.AUDITOR}
        if page in INSTALLATION:
            return self.everywhere
        return self.role != Role.FINANCE_VIEWER or page not in {*BANKS_OWN, *HISTORIES}

    def sees_row(self, page: str, whose: str) -> bool:
        """Is the row one of theirs?"""
        if page in DRAFTS and self.role == Role.FINANCE_VIEWER:
            return False  # the book's report and settlement are drafts
        return whose != "other" or self.everywhere

    def takes(self, address: Address) -> bool:
        """Is the step theirs to take?"""
        assert address.step is not None
        if address.step.is_for_all:  # the book's people are of a head office
            return self.role == Role.CHECKER or self.everywhere
        if address.page in EVERYBODYS and not self.everywhere:
            return False
        return self.sees(address.page) and self.role in address.step.roles


Answer = tuple[int, str]
Expected = set[int]


def expected(who: Somebody, address: Address, method: str, whose: str) -> Expected:
    """Which answers are right?"""
    if who.role is None:
        return OUTSIDE.get(address.kind, {302})
    if address.page:
        return OF_PAGES[address.kind](who, address, method, whose)
    return INSIDE[address.kind]


MACHINES = {200, 400, 401, 404, 405}  # which no session opens: tests/api
OUTSIDE: dict[str, Expected] = {
    "login": {200}, "health": {200}, "set_language": {204, 302, 405}, "recovery_codes": {302, 405},
    "end_sessions": {302, 405}, "view_on_site": {404}, "interface": MACHINES,
}  # fmt: skip
INSIDE: dict[str, Expected] = {
    "index": {200}, "login": {200, 302}, "logout": {200, 302, 405}, "password_change": {200},
    "password_change_done": {200, 405}, "autocomplete": {403, 405}, "jsi18n": {200, 405},
    "view_on_site": {404},
    "app_list": {200}, "search": {200}, "rest": {404}, "root": {302, 405}, "health": {200},
    "set_language": {302, 405},
    "second_factor": {200}, "second_factor_enrol": {200, 302}, "recovery_codes": {200, 405},
    "change_own_password": {200}, "own_sign_ins": {200, 405}, "end_sessions": {302, 405},
    "interface": MACHINES,
}  # fmt: skip


def of_list(who: Somebody, address: Address, method: str, whose: str) -> Expected:
    """A list: who sees the page."""
    return {200, 302} if who.sees(address.page) else {403}


def of_add(who: Somebody, address: Address, method: str, whose: str) -> Expected:
    """Only people are added by hand, by administrators."""
    return {200} if address.page in PEOPLE and who.sees(address.page) else {403}


def of_change(who: Somebody, address: Address, method: str, whose: str) -> Expected:
    """Seen, if it is one's own; changed are only people, by administrators."""
    if not who.sees(address.page) or (method == "post" and address.page not in PEOPLE):
        return {403}
    return {200} if who.sees_row(address.page, whose) else {302}


def of_delete(who: Somebody, address: Address, method: str, whose: str) -> Expected:
    """Nothing is ever deleted."""
    return {403}


def of_history(who: Somebody, address: Address, method: str, whose: str) -> Expected:
    """As the row, or on to the list of its former states; of a former state, only what is seen."""
    if not who.sees(address.page):
        return {403}
    return {200, 302} if who.sees_row(address.page, whose) else {302}


def of_step(who: Somebody, address: Address, method: str, whose: str) -> Expected:
    """A step: by who may take it, on rows they see."""
    if not who.takes(address):
        return {403}
    if address.of_row and not who.sees_row(address.page, whose):
        return {404}
    return {200} if method == "get" else {200, 302}


def of_password(who: Somebody, address: Address, method: str, whose: str) -> Expected:
    """A person's password: administrators, in their scope."""
    if not who.sees(address.page):
        return {302, 403}
    return {200} if who.sees_row(address.page, whose) else {302, 404}


def of_further(who: Somebody, address: Address, method: str, whose: str) -> Expected:
    """Files and the like: never for who does not see the page, or the row they belong to."""
    refused = {302, 403, 404, 405}
    hidden = address.of_row and not who.sees_row(address.page, whose)
    return refused if hidden or not who.sees(address.page) else {200, 400, *refused}


def of_forward(who: Somebody, address: Address, method: str, whose: str) -> Expected:
    """An old form of a row's address."""
    return {302}


OF_PAGES: dict[str, Callable[[Somebody, Address, str, str], Expected]] = {
    "list": of_list, "add": of_add, "change": of_change, "delete": of_delete, "history": of_history,
    "step": of_step, "password": of_password, "further": of_further, "forward": of_forward,
}  # fmt: skip


def may_write(who: Somebody, address: Address, whose: str) -> bool:
    """May this be meant to change something at all?"""
    if not address.page:
        return address.kind in OWN_DOOR
    if who.role is None or not who.sees_row(address.page, whose):
        return False
    if address.kind == "step":
        return who.takes(address)
    if address.page in PEOPLE:
        return who.sees(address.page)
    if address.page in WEBHOOKS | TOLD:
        return who.role == Role.ADMINISTRATOR and who.sees(address.page)
    return address.kind == "further" and who.role in MAKES | CHECKS


@pytest.fixture
def tree() -> dict[str, Institution]:
    made = rows.institutions()
    complete_book(made)
    for kind in ("export", "plan"):
        Run.objects.create(
            kind=kind, params={"register": "notes", "format": "csv", "filters": {}}, actor="x",
            created_at=rows.AT, scope_lo=made[rows.OTHER].id, scope_hi=made[rows.OTHER].last_id,
        )  # fmt: skip
    Institution.objects.filter(code=rows.OTHER).update(name="乙银行股份有限公司")
    for name, place in (("own", made[rows.NANJING]), ("other", made[rows.OTHER])):
        client_of(person(Role.MAKER, place, name))
    return made


@pytest.fixture
def everybody(tree: dict[str, Institution]) -> list[Somebody]:
    found = [Somebody("anonymous", None, Client())]
    found += [_signed_in(role.value, role, tree[rows.BANK]) for role in Role]
    found.append(_signed_in("root", Role.ADMINISTRATOR, None))
    gone = _signed_in("inactive", Role.MAKER, tree[rows.BANK])
    User.objects.filter(username="inactive").update(is_active=False)
    return [*found, Somebody(gone.name, None, gone.client)]


def _signed_in(name: str, role: Role, place: Institution | None) -> Somebody:
    client = client_of(person(role, place, f"{name}"))
    return Somebody(name, role.value, client, everywhere=place is None)


def some_rows(page: str, tree: dict[str, Institution]) -> dict[str, int]:
    """A row of one's own and another bank's; of what belongs to nobody, one that is everybody's."""
    model: Any = next(m for m in admin.site._registry if m._meta.label_lower == page)
    owner = _owner(model, tree)
    if owner is None:
        return {"shared": model._default_manager.order_by("pk").values_list("pk", flat=True)[0]}
    kept = {}
    for whose, condition in owner.items():
        found = model._default_manager.filter(**condition).order_by("pk").first()
        assert found is not None, f"{page}: the book has no row of {whose}"
        kept[whose] = found.pk
    return kept


def _owner(model: Any, tree: dict[str, Institution]) -> dict[str, dict[str, Any]] | None:
    places = {"own": tree[rows.NANJING], "other": tree[rows.OTHER]}
    names = {field.name for field in model._meta.fields}
    if model is User:
        return {whose: {"username": whose} for whose in places}
    if model is SignIn:
        return {whose: {"user__username": whose} for whose in places}
    if "institution" in names:
        return {whose: {"institution": place} for whose, place in places.items()}
    codes = {"own": CODE, "other": OTHER_CODE}
    if model is Enterprise:
        return {whose: {"uscc": code} for whose, code in codes.items()}
    if "enterprise" in names:
        return {whose: {"enterprise__uscc": code} for whose, code in codes.items()}
    if model is Institution:
        return {whose: {"pk": place.pk} for whose, place in places.items()}
    if model._meta.label_lower == "kernel.institutionevent":
        return {whose: {"pgh_obj_id": place.pk} for whose, place in places.items()}
    if "scope_lo" in names:
        return {whose: {"scope_lo": place.pk} for whose, place in places.items()}
    return None


def writes() -> int:
    """Rows written in this transaction so far, undone ones too; asking costs nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)"
            " FROM pg_stat_xact_user_tables WHERE relname <> ALL (%s)",
            [list(SIGNING_IN)],
        )
        return int(cursor.fetchone()[0])


def whole_state() -> dict[str, Any]:
    """Every table, whosever rows, but those of signing in."""
    with database.as_role("worker"):
        return state()


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Views run, pages are not drawn: what they look like is other tests' matter, and most of the time."""
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    monkeypatch.setattr(type(admin.site), "each_context", lambda *_: {})


@pytest.fixture
def ask(
    as_role: Any, unrendered: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Send a request on the web's role: the answer, and how much was written and undone.

    Undone is what somebody may do; the rest stays, to be found.
    """

    def send(who: Somebody, method: str, path: str, *, undo: bool, data: Any = None) -> Any:
        cookies = copy(who.client.cookies)
        answer = getattr(who.client, method)
        written = 0
        if undo:
            count = writes()
            with transaction.atomic():
                response = answer(path, data or {})
                transaction.set_rollback(True)
            written = writes() - count
        else:
            response = answer(path, data or {})
        who.client.cookies = cookies
        return response, written

    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)
    monkeypatch.setattr(find_missed_labels, "delay", lambda **_order: None)  # the worker's to do
    with as_role("app"):
        yield send


def test_every_address_is_of_a_known_kind() -> None:
    found = addresses()
    assert [one.route for one in found if one.kind == "unknown"] == []
    assert len(found) > 500
    assert sum(one.kind == "step" for one in found) > 25
    assert len({one.page for one in found if one.kind == "list"}) == len(admin.site._registry)


def questions(everybody: list[Somebody], address: Address, kept: dict[str, Any]) -> Iterator[Any]:
    """Who asks for which row and how: everything that could make a difference."""
    methods = METHODS.get(address.kind, ("get", "post"))
    for who in everybody:
        for whose, pk in kept.items():
            if whose == "other" and (who.role is None or address.kind == "forward"):
                continue  # nobody's rows are theirs; and no row is looked for
            for method in methods:
                yield who, whose, address.path(pk), method


@pytest.mark.timeout(1200)  # thousands of requests, on a machine that may do much else
def test_who_gets_in_where(
    tree: dict[str, Institution], everybody: list[Somebody], ask: Callable[..., Any]
) -> None:
    with database.as_role("worker"):
        known = {one.page: some_rows(one.page, tree) for one in addresses() if one.page}
        before = whole_state()
    wrong, suspects = [], []
    for address in addresses():
        kept = known[address.page] if address.of_row and address.page else {"none": ""}
        count, undone = writes(), 0
        for who, whose, path, method in questions(everybody, address, kept):
            is_meant = may_write(who, address, whose)
            answer, written = ask(who, method, path, undo=is_meant)
            undone += written
            right = expected(who, address, method, whose)
            if answer.status_code not in right:
                got = f"{answer.status_code}, not {sorted(right)}"
                wrong.append(f"{who.name} {whose} {method} {path}: {got}")
        if writes() - count != undone:
            suspects.append(address.route)
    assert "\n".join(wrong) == ""
    assert whole_state() == before, suspects


def of_actions(who: Somebody, page: str) -> set[str]:
    """Which actions of a list should be offered?"""
    model = next(m for m in admin.site._registry if m._meta.label_lower == page)
    found = set()
    for name in admin.site._registry[model].actions or ():
        (permission,) = getattr(admin.site._registry[model], name).allowed_permissions
        if page in FOR_ALL and permission == "check":  # the book's people are of a head office
            is_theirs = who.role == Role.CHECKER or who.everywhere
        else:
            is_theirs = who.role in ACTIONS[permission]
        if is_theirs and who.sees(page):
            found.add(name)
    return found


def test_actions_on_lists_are_offered_and_done_by_role(
    tree: dict[str, Institution], everybody: list[Somebody], ask: Callable[..., Any]
) -> None:
    with database.as_role("worker"):
        before = whole_state()
        pages = {
            model._meta.label_lower: (page.actions, some_rows(model._meta.label_lower, tree))
            for model, page in admin.site._registry.items()
            if page.actions
        }
    wrong, suspects = [], []
    assert len(pages) > 8
    for page, (names, kept) in pages.items():
        for who in (one for one in everybody if one.role is not None):
            right = of_actions(who, page)
            listing, _ = ask(who, "get", url(page), undo=False)
            form = (getattr(listing, "context_data", None) or {}).get("action_form")
            offered = (
                {name for name, _title in form.fields["action"].choices if name} if form else set()
            )
            if offered != right:
                wrong.append(f"{who.name} {page}: {sorted(offered)}, not {sorted(right)}")
            for name in names:
                for whose, pk in kept.items():
                    is_meant = name in right and who.sees_row(page, whose)
                    data = {"action": name, "_selected_action": pk, "why": "试验"}
                    count = writes()
                    ask(who, "post", url(page), undo=is_meant, data=data)
                    if not is_meant and writes() != count:
                        suspects.append(f"{who.name} {name} {whose} {page}")
    assert "\n".join(wrong) == ""
    assert whole_state() == before, suspects
    assert suspects == []
