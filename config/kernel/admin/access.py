"""Who may look at what: the person's role, and whether they see every institution."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from config.kernel.models import SCOPE_ALL, Role, User


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


def may_make(request: HttpRequest) -> bool:
    """May this person enter what another is to check?"""
    user = staff(request)
    return user is not None and user.role in {Role.MAKER, Role.MANAGER, Role.ADMINISTRATOR}


def may_check(request: HttpRequest) -> bool:
    """May this person check what another has made?"""
    user = staff(request)
    return user is not None and user.role in {Role.CHECKER, Role.ADMINISTRATOR}


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
