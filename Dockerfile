FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=config.settings.production
WORKDIR /srv/tiexi
RUN useradd --create-home --uid 10001 tiexi && install --directory --owner=tiexi /srv/files

COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r requirements.lock

COPY manage.py ./
COPY config config
COPY loans loans
COPY settlement settlement
COPY reports reports
# The settings want every address and secret; collecting static files uses none of them.
RUN SECRET_KEY=unused ALLOWED_HOSTS=unused REDIS_URL=redis://unused/0 \
    DATABASE_URL=postgresql://owner@unused/tiexi APP_DATABASE_URL=postgresql://app@unused/tiexi \
    WORKER_DATABASE_URL=postgresql://worker@unused/tiexi \
    python manage.py collectstatic --noinput

USER tiexi
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "--bind=0.0.0.0:8000", "--workers=3", "--threads=4", "--timeout=60", "--max-requests=2000", "--max-requests-jitter=200", "--access-logfile=-", "--no-control-socket"]
