"""The web server's way in. The web is the role `app`, whatever the environment says."""

import os

from django.core.wsgi import get_wsgi_application

from config.settings import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
connections.choose_role("app")

from config import checks  # noqa: E402 (the role is chosen before the settings are read)

checks.prepare("app")
application = get_wsgi_application()
