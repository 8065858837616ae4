"""Tables of the ground floor."""

from config.kernel.models.checked import Checked, checked_by_another
from config.kernel.models.clients import (
    ACTOR_PREFIX,
    AnsweringInstitution,
    ApiClient,
    ClientSecret,
    FinanceDepartment,
    IdempotencyKey,
    SigningKey,
    UsedNonce,
)
from config.kernel.models.history import tracked
from config.kernel.models.institution import SCOPE_ALL, Institution, Scope
from config.kernel.models.people import TWO_FACTOR_ROLES, Role, User
from config.kernel.models.signin import FormerPassword, SignIn
from config.kernel.models.work import Chunk, Run

__all__ = [
    "ACTOR_PREFIX",
    "SCOPE_ALL",
    "TWO_FACTOR_ROLES",
    "AnsweringInstitution",
    "ApiClient",
    "Checked",
    "Chunk",
    "ClientSecret",
    "FinanceDepartment",
    "FormerPassword",
    "IdempotencyKey",
    "Institution",
    "Role",
    "Run",
    "Scope",
    "SignIn",
    "SigningKey",
    "UsedNonce",
    "User",
    "checked_by_another",
    "tracked",
]
