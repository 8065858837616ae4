"""What every installation shares. Addresses are computed; nothing is started here."""

import os
from pathlib import Path

from config.settings import connections, unfold
from config.settings.api import *  # noqa: F403
from config.settings.exchange import *  # noqa: F403
from config.settings.notices import *  # noqa: F403
from config.settings.signin import *  # noqa: F403
from config.settings.webhooks import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = connections.data_dir(os.environ, BASE_DIR / ".data")
DATABASE_ROLE = connections.role(os.environ)
ADDRESSES, EMBEDDED = connections.addresses(os.environ, DATA_DIR)
EMBEDDED_OPTIONS: tuple[str, ...] = ()

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "oauth2_provider",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "pghistory",
    "config.kernel",
    "loans",
    "settlement",
    "reports",
    # Last: it brings commands named `export` and `import`, and ours go first.
    "unfold.contrib.import_export",
    "import_export",
]
MIDDLEWARE = [
    "config.kernel.api.tracing.TracingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.kernel.middleware.EncodingMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.kernel.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.kernel.middleware.ScopeMiddleware",
    "axes.middleware.AxesMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],  # in place of the admin's own
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

DATABASES = {
    "default": {
        **connections.database(
            getattr(ADDRESSES, DATABASE_ROLE), connections.LIMITS[DATABASE_ROLE]
        ),
        "ATOMIC_REQUESTS": True,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "kernel.User"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "static"
WHITENOISE_USE_FINDERS = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 << 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 8 << 20

UNFOLD = unfold.UNFOLD
REDIS_URL = ADDRESSES.redis
CELERY_BROKER_URL = connections.broker(REDIS_URL)
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
EMAIL_TIMEOUT = 20
# Reports, results of jobs and papers of notes, by content, kept for ever; web and workers share the folder.
REPORTS_DIR = Path(os.environ.get("REPORTS_DIR") or DATA_DIR / "files").expanduser().resolve()
# Notices to enterprises that a `file` gateway writes for whoever sends them.
PROVINCE_DIR = Path(os.environ.get("PROVINCE_DIR") or DATA_DIR / "province").expanduser().resolve()
# A folder of definitions of one's own, beside those of settlement/connectors; read when a process starts.
PROVINCE_DEFINITIONS = os.environ.get("PROVINCE_DEFINITIONS", "")
NOTICES_DIR = Path(os.environ.get("NOTICES_DIR") or DATA_DIR / "notices").expanduser().resolve()
# Files of more rows than this are looked at and taken in by a worker, smaller ones at once by the web.
IMPORT_CELERY_ROWS = int(os.environ.get("IMPORT_CELERY_ROWS") or 2_000)
# What commands made is checked by the user `system-checker`; never in production.
AUTO_CHECK = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}
    },
    "filters": {"request": {"()": "config.kernel.services.tracing.RequestIdFilter"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]}
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
