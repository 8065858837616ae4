"""Fixtures for everybody: the database (see `tests.database`) and hypothesis' profiles."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import psycopg
import pytest
from django.conf import settings as django_settings
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from config import checks
from tests import database

hypothesis_settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
hypothesis_settings.register_profile(
    "explore", parent=hypothesis_settings.get_profile("ci"), derandomize=False, max_examples=1000
)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """Migrate as the owner once, then let every test run as `worker`."""
    checks.start_servers()
    patch = pytest.MonkeyPatch()
    with django_db_blocker.unblock():
        session = database.SessionDatabase()
    patch.setitem(django_settings.DATABASES["default"], "NAME", session.name)
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: session.recreate())
    yield
    patch.undo()
    with django_db_blocker.unblock():
        session.close()


@pytest.fixture
def as_role() -> Callable[..., AbstractContextManager[None]]:
    """Give the context manager `as_role("app", institution)`."""
    return database.as_role


@pytest.fixture
def web_connections(transactional_db: None) -> Iterator[None]:
    """Let Django itself be the role `app`, as in the web server; what it needs is committed."""
    with database.web_connections():
        yield


@pytest.fixture
def owner_connection(transactional_db: None) -> Iterator[psycopg.Connection]:
    """Give a connection of the tables' owner, for what only the owner could spoil."""
    with database.connect("owner") as connection:
        yield connection
