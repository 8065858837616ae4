"""Links below one's own name, at the foot of the sidebar."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from config.kernel.middleware import door


def links(request: HttpRequest) -> list[dict[str, Any]]:
    """One's own sign-ins (with the one before this), and one's own password."""
    user = door.person(request)
    if user is None:
        return []
    own = reverse("own_sign_ins")
    last = door.last_words(request)
    found = [{"title": last, "link": own}] if last else []
    found.append({"title": gettext("登录与双重验证"), "link": own})
    if user.has_usable_password():
        found.append({"title": gettext("更改密码"), "link": reverse("change_own_password")})
    return found
