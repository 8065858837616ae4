"""Posting to an address that somebody else chose, so that it reaches only what it may.

The name is resolved once, every address it stands for is looked at, and the connection goes to the
one that was looked at; redirects are not followed and proxies not asked. However slowly a receiver
answers, it is through after a while, and only the beginning of what it says is read.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

CONNECT_SECONDS = 3
ANSWER_SECONDS = 10
ANSWER_BYTES = 4096
URL_MAX = 500
# Addresses that carry another one in them: where they lead is the network's secret.
_CARRIERS = tuple(
    ipaddress.ip_network(net)
    for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(Exception):
    """The name stands for an address that nothing may be posted to."""


class NoAnswer(Exception):
    """Nobody there, or nobody who answers in time and in HTTP; `reached`: a connection was made."""

    def __init__(self, why: str, *, reached: bool) -> None:
        super().__init__(why)
        self.reached = reached


@dataclass(frozen=True)
class Answer:
    """What a receiver said: its status, and the beginning of its body."""

    status: int
    body: bytes


def check_url(url: str) -> None:
    """Refuse (ValidationError) an address of a form that nothing is posted to.

    https; http only to hosts that the settings name. No user, no fragment, no names in other scripts.
    """
    try:
        parts = urlsplit(url)
        host, _port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise ValidationError(_("地址无法识别"), code="url_unreadable") from None
    odd = not url.isascii() or not url.isprintable() or " " in url or len(url) > URL_MAX
    if odd or not host or parts.fragment or "@" in parts.netloc:
        raise ValidationError(_("地址无法识别"), code="url_unreadable")
    if parts.scheme != "https" and not (
        parts.scheme == "http" and host in settings.WEBHOOK_PLAIN_HOSTS
    ):
        raise ValidationError(_("地址须以 https:// 开头"), code="url_not_https")
    literal = _as_address(host)
    if literal is not None and not may_reach(host, literal):
        raise ValidationError(
            _("不得指向内网地址；确需时由运维在 WEBHOOK_PRIVATE_HOSTS 中列明"), code="url_private"
        )


def may_reach(host: str, address: Address) -> bool:
    """May something be posted to that address under that name: is it public, or named in the settings?"""
    if host.lower() in settings.WEBHOOK_PRIVATE_HOSTS:
        return True
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return may_reach(host, address.ipv4_mapped)
        if any(address in net for net in _CARRIERS):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def post(url: str, *, headers: Mapping[str, str], body: bytes, most: int = ANSWER_BYTES) -> Answer:
    """Post and give the answer, whatever its status; AddressRefused or NoAnswer if there is none.

    Of its body no more than `most` bytes are read: whoever wants all of it asks for one more than it may have.
    """
    check_url(url)
    parts = urlsplit(url)
    with _connected(parts) as (link, is_cut):
        connection = http.client.HTTPConnection(parts.netloc)
        connection.sock = link
        try:
            connection.request(
                "POST", parts.path + (f"?{parts.query}" if parts.query else "") or "/",
                body=body, headers=dict(headers),
            )  # fmt: skip
            with contextlib.closing(connection.getresponse()) as response:
                if is_cut():  # half of the headers pass for all of them
                    raise TimeoutError("cut off")
                content = response.read(most)
            if most > ANSWER_BYTES and (is_cut() or (response.length and len(content) < most)):
                raise TimeoutError("cut off")  # half of a body passes for all of it
            return Answer(response.status, content)
        except (OSError, http.client.HTTPException) as error:
            why = f"{type(error).__name__}: {error}"
            raise NoAnswer(
                f"没有应答 / no answer within {ANSWER_SECONDS} s: {why}", reached=True
            ) from error


@contextlib.contextmanager
def _connected(parts: SplitResult) -> Iterator[tuple[socket.socket, Callable[[], bool]]]:
    """A connection to an address that was looked at, cut off when its time is over."""
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        link = socket.create_connection((str(_resolved(host, port)), port), timeout=CONNECT_SECONDS)
    except OSError as error:
        raise NoAnswer(f"无法连接 / cannot connect: {error}", reached=False) from error
    # Each read may take its time, and there may be any number of them: only this bounds them all.
    is_over = threading.Event()
    links = [link]  # the one in use is the last: TLS takes the plain socket away from `link`
    guillotine = threading.Timer(ANSWER_SECONDS, _cut, [links, is_over])
    guillotine.start()
    try:
        if parts.scheme == "https":
            link = _within_tls(links, host)
        link.settimeout(ANSWER_SECONDS)
        yield link, is_over.is_set
    finally:
        guillotine.cancel()
        links[-1].close()


def _within_tls(links: list[socket.socket], host: str) -> ssl.SSLSocket:
    """Speak TLS from here on; it can be cut off from before the first byte of the handshake."""
    try:
        link = ssl.create_default_context().wrap_socket(
            links[-1], server_hostname=host, do_handshake_on_connect=False
        )
        links.append(link)
        link.do_handshake()
    except OSError as error:
        raise NoAnswer(f"TLS: {error}", reached=False) from error
    return link


def _cut(links: list[socket.socket], is_over: threading.Event) -> None:
    is_over.set()  # before whoever reads there is woken
    with contextlib.suppress(OSError):
        socket.socket.shutdown(links[-1], socket.SHUT_RDWR)  # TLS's own would fail who reads there


def _resolved(host: str, port: int) -> Address:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    refused = [address for address in addresses if not may_reach(host, address)]
    if refused or not addresses:
        raise AddressRefused(
            f"{host} 指向内网地址 {refused[0] if refused else '—'} / stands for a private address that"
            " WEBHOOK_PRIVATE_HOSTS does not name"
        )
    return addresses[0]


def _as_address(host: str) -> Address | None:
    """The address a host part spells out, in any spelling the resolver would take."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.ip_address(socket.inet_aton(host))  # 127.1, 0x7f000001, 2130706433
    except OSError:
        return None
