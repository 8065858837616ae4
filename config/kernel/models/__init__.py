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
from config.kernel.models.outbox import (
    DeliveryStep,
    OutboxDelivery,
    OutboxEvent,
    OutboxPause,
    OutboxPending,
)
from config.kernel.models.people import TWO_FACTOR_ROLES, Role, User
from config.kernel.models.signin import FormerPassword, SignIn
from config.kernel.models.webhooks import WebhookEndpoint, WebhookSecret
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
    "DeliveryStep",
    "FinanceDepartment",
    "FormerPassword",
    "IdempotencyKey",
    "Institution",
    "OutboxDelivery",
    "OutboxEvent",
    "OutboxPause",
    "OutboxPending",
    "Role",
    "Run",
    "Scope",
    "SignIn",
    "SigningKey",
    "UsedNonce",
    "User",
    "WebhookEndpoint",
    "WebhookSecret",
    "checked_by_another",
    "tracked",
]
