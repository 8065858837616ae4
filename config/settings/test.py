"""The test suite: as on one's own machine, in a database of its own."""

import os

from config.settings import connections
from config.settings.base import *  # noqa: F403
from config.settings.base import DATA_DIR as PROJECT_DATA_DIR
from config.settings.base import DATABASES

DEBUG = False
SECRET_KEY = "test-only-not-a-secret-0123456789-0123456789-0123456789"  # noqa: S105
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
AUTO_CHECK = True
WEBHOOK_PRIVATE_HOSTS = WEBHOOK_PLAIN_HOSTS = ("127.0.0.1", "localhost")
WHITENOISE_AUTOREFRESH = True  # static files come from the apps, nothing is collected
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Servers of their own, so that a test run never touches the data of a running demo.
DATA_DIR = PROJECT_DATA_DIR / "test"
REPORTS_DIR = DATA_DIR / "files"
ADDRESSES, EMBEDDED = connections.addresses(os.environ, DATA_DIR)
# Nothing here outlives a crash; and autovacuum would count what a test has not committed as nothing.
EMBEDDED_OPTIONS = ("--fsync=off", "--full_page_writes=off", "--autovacuum=off")
REDIS_URL = ADDRESSES.redis
CELERY_BROKER_URL = connections.broker(REDIS_URL)
DATABASES["default"] |= {
    **connections.database(ADDRESSES.worker, connections.LIMITS["worker"]),
    "CONN_MAX_AGE": 0,
}
API_STRANGERS_PER_MINUTE = 1_000_000
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
