"""What the home page shows, as its reader meets it: texts, and where they lead."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

HOME = reverse("admin:index")


def plain(section: Any) -> list[list[str]]:
    """A section's rows as people read them."""
    return [[strip_tags(str(cell)) for cell in row] for row in section.rows]


def addresses(section: Any) -> list[list[str]]:
    """Where the cells of a section lead."""
    found = [[re.search(r'href="([^"]*)"', str(cell)) for cell in row] for row in section.rows]
    return [[html.unescape(one[1]) if one else "" for one in row] for row in found]


def listed(client: Client, address: str) -> list[Any]:
    """The rows of a list."""
    response = client.get(address)
    assert response.status_code == 200, address
    return list(response.context["cl"].queryset)
