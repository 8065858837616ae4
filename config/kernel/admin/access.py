"""Who may look at what: the person's role, and whether they see every institution."""

from __future__ import annotations

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from config.kernel.models import SCOPE_ALL, Role, User

# Who hands out roles moves no money, and who moves money hands out no roles.
MAKERS = frozenset({Role.MAKER, Role.MANAGER})
CHECKERS = frozenset({Role.CHECKER})
EXPORTERS = frozenset(Role) - {Role.FINANCE_VIEWER}


def staff(request: HttpRequest) -> User | None:
    """Who asks, if it is an active member of staff with a known role?"""
    user = request.user
    if isinstance(user, User) and user.is_active and user.is_staff and user.role in Role.values:
        return user
    return None


def is_administrator(request: HttpRequest) -> bool:
    """Does an administrator ask?"""
    user = staff(request)
    return user is not None and user.role == Role.ADMINISTRATOR


def is_inspector(request: HttpRequest) -> bool:
    """Does somebody ask who may look into what others did: an administrator or an auditor?"""
    user = staff(request)
    return user is not None and user.role in {Role.ADMINISTRATOR, Role.AUDITOR}


def has_role(request: HttpRequest, roles: frozenset[Role]) -> bool:
    """Has this person one of the roles?"""
    user = staff(request)
    return user is not None and user.role in roles


def may_make(request: HttpRequest) -> bool:
    """May this person enter what another is to check?"""
    return has_role(request, MAKERS)


def may_check(request: HttpRequest) -> bool:
    """May this person check what another has made?"""
    return has_role(request, CHECKERS)


def may_check_for_all(request: HttpRequest) -> bool:
    """May this person check what holds for every institution: terms of schemes, the registry?

    Checkers of a head office, and administrators who see everything; a branch decides for itself alone.
    """
    user = staff(request)
    if user is None or user.role != Role.CHECKER:
        return is_administrator(request) and sees_everything(request)
    return user.institution is not None and user.institution.parent_id is None


def sees_as_finance(request: HttpRequest) -> bool:
    """Does finance look in? It sees results and what it was told, not the bank's work under way."""
    return has_role(request, frozenset({Role.FINANCE_VIEWER}))


def own_scope(request: HttpRequest) -> tuple[int, int]:
    """The range of institutions this person sees; nobody without one gets further."""
    user = staff(request)
    if user is None or user.scope is None:
        raise PermissionDenied
    return user.scope


def sees_everything(request: HttpRequest) -> bool:
    """Is every institution in this person's scope?"""
    user = staff(request)
    return user is not None and user.scope == SCOPE_ALL


def may_open(request: HttpRequest, page: str) -> bool:
    """Does the list of that page, named as in its address (`loans_note`), let this person in?"""
    app, model = page.split("_", 1)
    pages = admin.site._registry  # noqa: SLF001 (no public way from a model to its page)
    return bool(pages[apps.get_model(app, model)].has_view_permission(request))
