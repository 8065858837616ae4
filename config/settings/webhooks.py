"""Where events may be posted to: anywhere public over TLS, and what the installation names."""

import os


def _hosts(variable: str) -> tuple[str, ...]:
    given = os.environ.get(variable, "").lower().split(",")
    return tuple(host.strip() for host in given if host.strip())


# Names (or addresses, as written in the address of a receiver) that may stand for private addresses: a
# treasury's network is private, and everything else private is a way into ours.
WEBHOOK_PRIVATE_HOSTS = _hosts("WEBHOOK_PRIVATE_HOSTS")
WEBHOOK_PLAIN_HOSTS: tuple[str, ...] = ()  # without TLS: on one's own machine only
