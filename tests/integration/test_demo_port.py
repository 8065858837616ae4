"""Where the demo serves: the port asked for or none; else the usual one, or a free one."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from django.core.management.base import CommandError

from settlement.management.commands import demo


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.socket() as other:
        other.bind((demo.HOST, 0))
        other.listen()
        yield other.getsockname()[1]


def free() -> int:
    with socket.socket() as one:
        one.bind((demo.HOST, 0))
        port: int = one.getsockname()[1]
    return port


def test_a_port_that_is_asked_for_is_the_one_or_none(taken: int) -> None:
    port = free()
    assert demo.chosen_port(str(port)) == port
    with pytest.raises(CommandError, match=f"端口 {taken} 不可用"):
        demo.chosen_port(str(taken))


@pytest.mark.parametrize("asked", ["0", "65536", "-1", "８０００", "http"])
def test_what_is_no_port_is_refused(asked: str) -> None:
    with pytest.raises(CommandError, match="WEB_PORT 须为端口号"):
        demo.chosen_port(asked)


def test_where_the_usual_port_is_taken_another_is_told(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "PORT", taken)
    found = demo.chosen_port("")
    assert found not in (0, taken)
    port = free()
    monkeypatch.setattr(demo, "PORT", port)
    assert demo.chosen_port("") == port
