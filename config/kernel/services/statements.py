"""Statements that run very often: read and planned once per connection, on Django's own connection.

They go straight through libpq, which waits for the answer by itself. Waiting in Python, as the driver's
cursors do, cost 70 µs of 380 for an entry of the ledger, and three quarters of the client's own time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections
from psycopg import Connection, OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


def prepared(query: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one query, `%s` for each parameter, and give its rows.

    Parameters have the types that the query gives them: a cast where it does not say.
    """
    database = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    database.ensure_connection()
    driver = database.connection
    with database.wrap_database_errors:
        kept: _Statements | None = getattr(driver, "kept_statements", None)
        if kept is None:
            kept = driver.kept_statements = _Statements(driver)
        return kept.run(query, params)


class _Statements:
    """The prepared statements of one connection; they end with it."""

    def __init__(self, driver: Connection[Any]) -> None:
        assert driver.isolation_level is None, "what begins a transaction here says nothing of it"
        self._driver, self._names = driver, dict[str, bytes]()
        self._values = Transformer.from_context(driver)

    def run(self, query: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        server = self._driver.pgconn
        if not self._driver.autocommit and server.transaction_status == TransactionStatus.IDLE:
            self._checked(server.exec_(b"BEGIN"))  # as the driver does before a first statement
        name = self._names.get(query)
        if name is None:
            name = f"kept_{len(self._names)}".encode()
            self._checked(server.prepare(name, _numbered(query)))
            self._names[query] = name
        texts = self._values.dump_sequence(params, [PyFormat.TEXT] * len(params))
        found = self._checked(server.exec_prepared(name, cast("Any", texts)))
        self._values.set_pgresult(found)
        return self._values.load_rows(0, found.ntuples, tuple)

    def _checked(self, result: PGresult) -> PGresult:
        if result.status not in _DONE:
            if self._driver.closed:  # the server's last words, if any, have no code
                raise OperationalError(result.get_error_message(self._driver.info.encoding))
            raise error_from_result(result, encoding=self._driver.info.encoding)
        return result


def _numbered(query: str) -> bytes:
    """`%s` as the server's own `$1`, `$2` …"""
    places = count(1)
    return re.sub("%[s%]", lambda at: "%" if at[0] == "%%" else f"${next(places)}", query).encode()


def set_local(values: Mapping[str, str]) -> None:
    """Settings of the connection that hold until the transaction ends."""
    assert connection.in_atomic_block, "they hold for one transaction"
    parts = ", ".join(["set_config(%s, %s, true)"] * len(values))
    prepared(f"SELECT {parts}", [text for pair in values.items() for text in pair])


def array(words: Iterable[str | int]) -> str:
    """Plain words or numbers as PostgreSQL writes an array of them; quicker than a list of parameters."""
    return "{" + ",".join(map(str, words)) + "}"
