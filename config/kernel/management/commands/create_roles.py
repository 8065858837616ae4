"""`create_roles`: the database roles `app` and `worker`, which own and bypass nothing."""

import os
from argparse import ArgumentParser
from urllib.parse import unquote, urlsplit

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from psycopg import sql

ROLES = {"app": "APP_DATABASE_URL", "worker": "WORKER_DATABASE_URL"}


def role_statements(*, database: str, schema: str = "public") -> list[str]:
    """Return the SQL that makes both roles and lets them in; safe to repeat.

    What the roles may do with each table is granted by the migration that makes the table.
    """
    statements = []
    for role in ROLES:
        statements += [
            f"DO $$ BEGIN IF to_regrole('{role}') IS NULL THEN"
            f" CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;"
            " END IF; END $$;",
            f"GRANT CONNECT, TEMPORARY ON DATABASE {_name(database)} TO {role};",
            f"GRANT USAGE ON SCHEMA {_name(schema)} TO {role};",
        ]
    # A run may narrow itself to what a person sees (SET ROLE app), without inheriting anything.
    statements.append(
        "DO $$ BEGIN IF NOT pg_has_role('worker', 'app', 'SET') THEN"
        " GRANT app TO worker WITH INHERIT FALSE, SET TRUE; END IF; END $$;"
    )
    return statements


def _name(identifier: str) -> str:
    return sql.Identifier(identifier).as_string()


class Command(BaseCommand):
    """Make the roles, or print the SQL for somebody who may."""

    help = "创建数据库角色 app 与 worker / create the database roles app and worker"
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add `--print`."""
        parser.add_argument(
            "--print", action="store_true", help="只打印 SQL / print the SQL and change nothing"
        )

    def handle(self, **options: object) -> None:
        """Run the statements as the owner; passwords come from the roles' addresses."""
        statements = role_statements(database=str(connection.settings_dict["NAME"]))
        if options["print"]:
            self.stdout.write("\n".join(statements))
            return
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                self._set_passwords()
        except DatabaseError as error:
            message = f"无法创建角色 / cannot create the roles: {error}"
            raise CommandError(message) from error
        self.stdout.write("角色已就绪 / roles ready: app, worker")

    def _set_passwords(self) -> None:
        """Store the addresses' passwords; only their hashes travel and reach any log."""
        for role, variable in ROLES.items():
            password = urlsplit(os.environ.get(variable, "")).password
            if password:
                connection.ensure_connection()
                pg = connection.connection.pgconn
                hashed = pg.encrypt_password(
                    unquote(password).encode(), role.encode(), b"scram-sha-256"
                )
                statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(hashed.decode())
                )
                with connection.cursor() as cursor:
                    cursor.execute(statement.as_string())
