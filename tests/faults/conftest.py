"""Servers of one's own for what kills them."""

from collections.abc import Callable, Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests import database
from tests.faults.books import Book, Servers
from tests.integration import book as entry


@pytest.fixture(scope="session")
def servers(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Servers:
    """Servers whose database `loaded` holds the shipped schemes and the golden portfolio."""
    servers = Servers(tmp_path_factory.mktemp("servers"))
    servers.fill(f"{database.TEMPLATE}{database._schema_digest()}")
    loaded = servers.book(django_db_blocker)
    with loaded.inside():
        entry.load_shipped()
        entry.import_folder(entry.PORTFOLIO)
    servers.loaded = loaded.name
    return servers


@pytest.fixture
def books(servers: Servers, django_db_blocker: DjangoDbBlocker) -> Iterator[Callable[[], Book]]:
    """Give copies of the loaded book; what was started on them ends with the test."""
    made: list[Book] = []

    def copy(of: str = servers.loaded) -> Book:
        made.append(servers.book(django_db_blocker, of=of))
        return made[-1]

    yield copy
    for book in made:
        book.close()


@pytest.fixture
def book(books: Callable[[], Book]) -> Book:
    """One copy."""
    return books()


@pytest.fixture(scope="session")
def undisturbed(servers: Servers, django_db_blocker: DjangoDbBlocker) -> Book:
    """A copy on which one run was left in peace."""
    book = servers.book(django_db_blocker, of=servers.loaded)
    book.run()
    return book
