"""Settings by which notices would be lost, readable on the way or sent by accident are refused."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.settings import notices

GOOD = {
    "NOTICES_FOR": "B1/central-sme-2026, */test",
    "NOTICES_SMS": "https://sms.bank.example/send",
    "NOTICES_EMAIL": "email",
    "EMAIL_HOST": "mail.bank.example",
    "NOTICES_KEY": "0123456789abcdef",
    "NOTICES_HOTLINE": "95588",
}


def test_nothing_is_sent_by_default() -> None:
    notices.check({})
    assert notices.pairs("") == ()
    assert notices.gateways({}) == {}


def test_pairs_and_gateways_are_read_in_order_of_preference() -> None:
    notices.check(GOOD)
    assert notices.pairs(GOOD["NOTICES_FOR"]) == (("B1", "central-sme-2026"), ("*", "test"))
    assert notices.gateways({**GOOD, "NOTICES_APP": "file"}) == {
        "sms": "https://sms.bank.example/send", "app": "file", "email": "email",
    }  # fmt: skip
    assert notices.gateways({"NOTICES_SMS": "http://127.0.0.1:8080/x"}) == {
        "sms": "http://127.0.0.1:8080/x"
    }


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"NOTICES_FOR": "B1"}, "NOTICES_FOR"),
        ({"NOTICES_FOR": "B1/a/b"}, "NOTICES_FOR"),
        ({"NOTICES_FOR": "/a"}, "NOTICES_FOR"),
        ({"NOTICES_SMS": "", "NOTICES_EMAIL": ""}, "NOTICES_FOR"),
        ({"NOTICES_SMS": "http://sms.bank.example/send"}, "NOTICES_SMS"),
        ({"NOTICES_SMS": "email"}, "NOTICES_SMS"),
        ({"NOTICES_SMS": "https://"}, "NOTICES_SMS"),
        ({"NOTICES_EMAIL": "https://mail.example"}, "NOTICES_EMAIL"),
        ({"EMAIL_HOST": ""}, "NOTICES_EMAIL"),
        ({"NOTICES_KEY": "short"}, "NOTICES_KEY"),
        ({"NOTICES_HOTLINE": " "}, "NOTICES_HOTLINE"),
        ({"NOTICES_HOTLINE": "9" * 31}, "NOTICES_HOTLINE"),
    ],
)
def test_what_would_go_wrong_is_refused(changes: dict[str, str], name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        notices.check({**GOOD, **changes})
