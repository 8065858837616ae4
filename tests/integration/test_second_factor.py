"""The second factor, and how long a session lasts: nobody gets round either."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

import io
import json
from datetime import timedelta

import pytest
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.urls import get_resolver, reverse
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.kernel.models import Institution, Role, SignIn, User
from config.kernel.services import second_factor, sessions
from loans.models import Note
from tests.integration import rows
from tests.integration.door import (
    INDEX,
    audit,
    browser,
    client_of,
    code_of,
    factor,
    give_code,
    give_password,
    person,  # noqa: F401
    signed_in,
    tree,  # noqa: F401
)

pytestmark = pytest.mark.django_db

ENROL, CODE = "/admin/second-factor/enrol/", "/admin/second-factor/"


def _patterns():
    resolver = get_resolver()
    for namespace in ("admin", None):
        inner = resolver if namespace is None else resolver.namespace_dict[namespace][1]
        for name in inner.reverse_dict:
            if isinstance(name, str):
                for possibility, _pattern, _defaults, _converters in inner.reverse_dict.getlist(
                    name
                ):
                    path, parameters = possibility[0]
                    prefix = "/admin/" if namespace else "/"
                    yield (namespace, name), prefix + path % dict.fromkeys(parameters, "1")


OPEN = {
    "/admin/login/", "/admin/logout/", "/admin/second-factor/", "/admin/second-factor/enrol/",
    "/i18n/setlang/", "/healthz/", "/",
}  # fmt: skip


@pytest.mark.parametrize(
    ("role", "has_factor"), [(Role.CHECKER, True), (Role.ADMINISTRATOR, False)]
)
def test_every_address_refuses_who_has_not_proved_the_second_factor(role, has_factor, person, tree):
    note = rows.note(tree[rows.NANJING])
    he = person("he", role)
    if has_factor:
        factor(he)
    client = signed_in("he")
    where = CODE if has_factor else ENROL
    before = list(Note.objects.values()), list(Institution.objects.values())

    machines = ("/api/", "/health/", "/metrics")  # which no session opens: tests/api
    asked = {path for _name, path in _patterns() if not path.startswith(machines)} - OPEN
    assert len(asked) > 300
    assert "/admin/loans/note/1/change/" in asked
    for path in sorted(asked):
        for answer in (client.get(path), client.post(path, {"post": "yes"})):
            assert answer.status_code == 302, path
            assert answer.url.split("?")[0] == where, (path, answer.url)
    other = ENROL if has_factor else CODE
    assert client.get(other).url.split("?")[0] == where
    assert client.post(other, {"code": "123456"}).url.split("?")[0] == where

    assert (list(Note.objects.values()), list(Institution.objects.values())) == before
    assert audit(user=he) == [("code_awaited", "he", "password")]
    assert note.pk


def test_a_code_lets_in_once(person):
    device = factor(person("he", Role.CHECKER))
    client = signed_in("he")
    key = client.session.session_key
    code = code_of(device)

    answer = give_code(client, code, next="/admin/loans/note/")
    assert (answer.status_code, answer.url) == (302, "/admin/loans/note/")
    assert client.get("/admin/loans/note/").status_code == 200
    assert client.session.session_key != key

    again = signed_in("he", "10.0.0.2")
    refused = give_code(again, code)
    assert refused.status_code == 200
    assert "已用过" in refused.content.decode()
    assert again.get(INDEX).url.startswith(CODE)
    assert audit() == [
        ("code_awaited", "he", "password"),
        ("signed_in", "he", "code"),
        ("code_awaited", "he", "password"),
        ("code_refused", "he", ""),
    ]


@pytest.mark.parametrize(
    "code", ["000000", "", "12345", "1234567", "abc", "-12345", "１２３４５６", "\0", "aaaaa-bbbbb"]
)
def test_other_codes_do_not(code, person):
    factor(person("he", Role.CHECKER), key="31" * 20)
    client = signed_in("he")

    assert give_code(client, code).status_code == 200
    assert client.get(INDEX).url.startswith(CODE)


def test_full_width_and_spaced_digits_are_the_same_code(person):
    device = factor(person("he", Role.CHECKER))
    client = signed_in("he")
    code = code_of(device)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)

    assert give_code(client, f" {wide[:3]} {wide[3:]} ").status_code == 302


def test_wrong_codes_make_one_wait_even_with_the_right_one(person):
    device = factor(person("he", Role.CHECKER))
    client = signed_in("he")
    right = code_of(device)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"

    give_code(client, wrong)
    TOTPDevice.objects.update(throttling_failure_count=10)
    page = give_code(client, right)

    assert page.status_code == 200
    assert "请在 512 秒后" in page.content.decode() or "请在 511 秒后" in page.content.decode()
    TOTPDevice.objects.update(
        throttling_failure_timestamp=timezone.localtime() - timedelta(seconds=513)
    )
    assert give_code(client, right).status_code == 302


@pytest.mark.parametrize(
    "next_page", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_elsewhere(next_page, person):
    device = factor(person("he", Role.CHECKER))
    client = signed_in("he")

    assert give_code(client, code_of(device), next=next_page).url == INDEX


def test_another_persons_code_or_device_does_not_count(person):
    factor(person("he", Role.CHECKER))
    other = factor(person("yu", Role.CHECKER))
    client = signed_in("he")
    session = client.session
    session["otp_device_id"] = other.persistent_id
    session.save()

    assert client.get(INDEX).url.startswith(CODE)
    assert give_code(client, code_of(other)).status_code == 200
    assert client.get(INDEX).url.startswith(CODE)


def enrolled(client, user):
    """Set up an authenticator as the page leads; it and the recovery codes."""
    assert client.get(ENROL).status_code == 200
    waiting = TOTPDevice.objects.get(user=user, confirmed=False)
    page = client.post(ENROL, {"code": code_of(waiting)})
    assert page.status_code == 200
    return TOTPDevice.objects.get(user=user), page.context["codes"]


def test_setting_up_gives_recovery_codes_each_good_once_and_kept_as_digests(person):
    he = person("he", Role.CHECKER)
    first = signed_in("he")
    other = signed_in("he", "10.0.0.2")
    device, codes = enrolled(first, he)

    assert first.get(INDEX).status_code == 200
    assert other.get(INDEX).url.startswith("/admin/login/")
    assert device.confirmed
    assert len(set(codes)) == 10
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert len(stored) == 10
    assert stored.isdisjoint({code.replace("-", "") for code in codes} | set(codes))

    back = signed_in("he")
    assert give_code(back, codes[3].upper().replace("-", " ")).status_code == 302
    page = back.get(INDEX).content.decode()
    assert "已用去一个恢复码，还剩 9 个" in page
    again = signed_in("he")
    assert give_code(again, codes[3]).status_code == 200
    assert again.get(INDEX).url.startswith(CODE)
    assert [event for event in audit() if event[0] == "signed_in"] == [
        ("signed_in", "he", "code"),
        ("signed_in", "he", "recovery"),
    ]


def test_new_recovery_codes_void_the_old(person):
    he = person("he", Role.CHECKER)
    client = signed_in("he")
    _device, old = enrolled(client, he)

    new = client.post(reverse("recovery_codes")).context["codes"]
    assert client.get(reverse("recovery_codes")).status_code == 405

    back = signed_in("he")
    assert give_code(back, old[0]).status_code == 200
    StaticDevice.objects.update(throttling_failure_count=0)
    assert give_code(back, new[0]).status_code == 302
    assert second_factor.codes_left(user=he) == 9


def test_a_wrong_code_sets_nothing_up(person):
    he = person("he", Role.CHECKER)
    client = signed_in("he")
    client.get(ENROL)
    waiting = TOTPDevice.objects.get(user=he)

    page = client.post(ENROL, {"code": f"{(int(code_of(waiting)) + 1) % 1_000_000:06d}"})

    assert page.status_code == 200
    assert "codes" not in page.context
    assert TOTPDevice.objects.get(user=he).confirmed is False
    assert StaticToken.objects.count() == 0
    assert client.get(INDEX).url.startswith(ENROL)


def test_a_maker_may_set_it_up_and_is_asked_from_then_on(person):
    wang = person("wang")
    client = signed_in("wang")
    assert client.get(INDEX).status_code == 200
    device, _codes = enrolled(client, wang)
    assert client.get(INDEX).status_code == 200

    back = signed_in("wang")
    assert back.get(INDEX).url.startswith(CODE)
    assert give_code(back, code_of(device, steps=1)).status_code == 302
    assert back.get(INDEX).status_code == 200


def test_who_becomes_a_checker_sets_it_up_before_going_on(person):
    wang = person("wang")
    client = signed_in("wang")
    User.objects.filter(pk=wang.pk).update(role=Role.CHECKER)

    assert client.get("/admin/loans/note/").url.startswith(ENROL)


def test_an_administrators_reset_ends_sessions_and_is_in_the_audit(person):
    he = person("he", Role.CHECKER)
    factor(he)
    at_work = client_of(he)
    boss = client_of(person("boss", Role.ADMINISTRATOR))
    page = f"/admin/kernel/user/{he.pk}/reset-factor/"
    assert at_work.get(INDEX).status_code == 200

    assert boss.post(page, {"why": "手机丢失，已当面核实"}).status_code == 302

    assert at_work.get(INDEX).url.startswith("/admin/login/")
    assert TOTPDevice.objects.filter(user=he).count() == 0
    assert signed_in("he").get(INDEX).url.startswith(ENROL)
    reset = SignIn.objects.get(event="factor_reset")
    assert (reset.username, reset.actor, reset.detail) == ("he", "boss", "手机丢失，已当面核实")


def test_nobody_resets_their_own(person):
    boss = person("boss", Role.ADMINISTRATOR)
    client = client_of(boss)

    assert (
        client.post(f"/admin/kernel/user/{boss.pk}/reset-factor/", {"why": "x"}).status_code == 403
    )
    assert TOTPDevice.objects.filter(user=boss).count() == 1


def test_the_last_administrator_is_reset_by_command(person):
    boss = person("boss", Role.ADMINISTRATOR)
    with pytest.raises(CommandError, match="未绑定"):
        call_command("reset_second_factor", "boss", why="x")
    factor(boss)
    with pytest.raises(CommandError, match="没有这个用户"):
        call_command("reset_second_factor", "nobody", why="x")
    assert TOTPDevice.objects.count() == 1
    out = io.StringIO()

    call_command("reset_second_factor", "boss", why="手机和恢复码都丢失", stdout=out)

    assert out.getvalue() == "已重置 / reset: boss\n"
    assert TOTPDevice.objects.count() == 0
    reset = SignIn.objects.get()
    assert (reset.event, reset.actor, reset.detail) == (
        "factor_reset",
        "system",
        "手机和恢复码都丢失",
    )


def age(client, **seconds):
    session = client.session
    for name, back in seconds.items():
        session[getattr(sessions, name)] -= back
    session.save()


@pytest.mark.parametrize(
    ("seconds", "goes_on"),
    [
        ({"SEEN": 1790}, True),
        ({"SEEN": 1800}, False),
        ({"STARTED": 43_190}, True),
        ({"STARTED": 43_200}, False),
    ],
)
def test_a_session_ends_when_idle_or_old_whatever_the_browser_keeps(seconds, goes_on, person):
    person("wang")
    client = signed_in("wang")
    age(client, **seconds)

    answer = client.get("/admin/loans/note/")

    if goes_on:
        assert answer.status_code == 200
        return
    assert (answer.status_code, answer.url) == (
        302,
        "/admin/login/?next=/admin/loans/note/".replace(
            "=/admin/loans/note/", "=%2Fadmin%2Floans%2Fnote%2F"
        ),
    )
    assert "会话已超时" in client.get(answer.url).content.decode()
    assert client.get(INDEX).status_code == 302
    assert audit()[-1] == ("expired", "wang", "")


def test_being_there_keeps_an_idle_session_but_not_an_old_one(person):
    person("wang")
    client = signed_in("wang")
    for _ in range(3):
        age(client, SEEN=1700)
        assert client.get(INDEX).status_code == 200
    age(client, STARTED=43_200)
    assert client.get(INDEX).status_code == 302


def test_a_new_session_key_at_signing_in(person):
    person("wang")
    client = browser()
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = planted

    give_password(client, "wang")

    assert client.session.session_key != planted
    assert client.get(INDEX).status_code == 200


def test_deactivation_ends_sessions_also_when_it_is_taken_back(person):
    wang = person("wang")
    client = signed_in("wang")
    boss = client_of(person("boss", Role.ADMINISTRATOR))
    page = f"/admin/kernel/user/{wang.pk}/change/"
    fields = {
        "username": "wang",
        "role": "maker",
        "institution": wang.institution_id,
        "is_staff": "on",
    }

    assert boss.post(page, fields).status_code == 302
    assert client.get(INDEX).status_code == 302
    assert boss.post(page, fields | {"is_active": "on"}).status_code == 302

    assert client.get(INDEX).status_code == 302
    assert signed_in("wang").get(INDEX).status_code == 200
    ended = SignIn.objects.filter(event="sessions_ended")
    assert list(ended.values_list("username", "actor")) == [("wang", "boss")] * 2


def test_a_password_set_by_an_administrator_ends_sessions_and_must_be_changed(person):
    wang = person("wang")
    client = signed_in("wang")
    boss = client_of(person("boss", Role.ADMINISTRATOR))
    fields = {
        "password1": "given-by-the-boss-1",
        "password2": "given-by-the-boss-1",
        "usable_password": "true",
    }

    assert boss.post(f"/admin/kernel/user/{wang.pk}/password/", fields).status_code == 302

    assert client.get(INDEX).status_code == 302
    assert boss.get(INDEX).status_code == 200
    back = browser()
    assert give_password(back, "wang", "given-by-the-boss-1").status_code == 302
    assert back.get(INDEX).url.startswith("/admin/password_change/")
    changed = SignIn.objects.get(event="password_changed")
    assert (changed.username, changed.actor) == ("wang", "boss")


def test_signing_out_elsewhere_keeps_this_session(person):
    person("wang")
    here, there = signed_in("wang"), signed_in("wang", "10.0.0.2")

    assert here.get(reverse("end_sessions")).status_code == 405
    assert here.post(reverse("end_sessions")).status_code == 302

    assert here.get(INDEX).status_code == 200
    assert there.get(INDEX).status_code == 302
    assert here.post("/admin/logout/").status_code == 200
    assert audit()[-1] == ("signed_out", "wang", "")


def test_no_page_shows_secrets_of_factors_or_passwords():
    names = {model._meta.label for model in admin.site._registry}
    assert not {name for name in names if name.split(".")[0] in {"otp_totp", "otp_static", "axes"}}
    assert "kernel.FormerPassword" not in names


def test_the_audit_and_the_session_hold_no_code(person):
    device = factor(person("he", Role.CHECKER))
    client = signed_in("he")
    code = code_of(device)
    give_code(client, code)

    kept = json.dumps(list(SignIn.objects.values()), default=str) + json.dumps(dict(client.session))
    assert code not in kept
    assert device.key not in kept
