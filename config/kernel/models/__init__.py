"""Tables of the ground floor."""

from config.kernel.models.checked import Checked, checked_by_another
from config.kernel.models.history import tracked
from config.kernel.models.institution import SCOPE_ALL, Institution, Scope
from config.kernel.models.people import Role, User
from config.kernel.models.work import Chunk, Run

__all__ = [
    "SCOPE_ALL",
    "Checked",
    "Chunk",
    "Institution",
    "Role",
    "Run",
    "Scope",
    "User",
    "checked_by_another",
    "tracked",
]
