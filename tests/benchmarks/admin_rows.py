"""Statistics and visibility as autovacuum leaves them in a settled installation; three people who ask.

An administrator over everything, a manager of the bank, a maker of one branch.
"""

from __future__ import annotations

from config import checks
from config.settings import connections

connections.choose_role("owner")
checks.prepare("owner")

from django.db import connection  # noqa: E402

from config.kernel.models import Institution, Role, User  # noqa: E402

head, branch = (Institution.objects.get(code=code) for code in ("H1000000000000", "B1007000000000"))
for name, role, institution in (
    ("all", Role.ADMINISTRATOR, None), ("bank", Role.MANAGER, head), ("branch", Role.MAKER, branch),
):  # fmt: skip
    User.objects.create_user(f"bench-{name}", role=role, institution=institution, is_staff=True)
with connection.cursor() as cursor:
    cursor.execute("VACUUM (ANALYZE)")
