#!/usr/bin/env python
"""Run a management command as the database role it needs."""

import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from config import checks, embedded
from config.settings import connections

# These work without a database; everything else may start the embedded servers.
OFFLINE = {"", "check", "collectstatic", "compilemessages", "help", "makemessages", "version"}


def main(arguments: list[str]) -> None:
    """Choose settings and role, see that the servers run, hand over to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    command = arguments[1] if len(arguments) > 1 else ""
    connections.choose_role(connections.role_for_command(command))
    offline = command in OFFLINE or command.startswith("-")
    if not offline and not {"--help", "-h", "--print"}.intersection(arguments):
        try:
            checks.start_servers()
            django.setup()
            checks.require_plain_role()
        except (ImproperlyConfigured, OperationalError, embedded.EmbeddedError) as error:
            sys.exit(str(error))
    execute_from_command_line(arguments)


if __name__ == "__main__":
    main(sys.argv)
