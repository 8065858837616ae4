"""One's own machine: embedded servers, no secrets."""

from config.settings.base import *  # noqa: F403

DEBUG = True
SECRET_KEY = "dev-only-not-a-secret-0123456789-0123456789-0123456789"  # noqa: S105
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
AUTO_CHECK = True
WEBHOOK_PRIVATE_HOSTS = WEBHOOK_PLAIN_HOSTS = ("127.0.0.1", "localhost")
