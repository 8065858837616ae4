"""Statistics and visibility as autovacuum leaves them in a settled installation."""

from __future__ import annotations

from config import checks
from config.settings import connections

connections.choose_role("owner")
checks.prepare("owner")

from django.db import connection  # noqa: E402

with connection.cursor() as cursor:
    cursor.execute("VACUUM (ANALYZE)")
