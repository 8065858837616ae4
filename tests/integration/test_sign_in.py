"""Coming in by password: what passwords must be, how often one may guess, and what is written down."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from datetime import timedelta
from ipaddress import ip_network

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import RequestFactory
from django.utils import timezone

from config.kernel.models import FormerPassword, Role, SignIn, User
from config.kernel.services import signin
from tests.integration import rows
from tests.integration.door import (
    INDEX,
    PASSWORD,
    WRONG,
    audit,
    browser,
    client_of,
    give_password,
    person,  # noqa: F401
    signed_in,
    tree,  # noqa: F401
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short-1-pass", None),
        ("short-1-pas", "password_too_short"),
        ("482910573829", "password_entirely_numeric"),
        ("wang.xiaoming", "password_too_similar"),
        ("administrator", "password_too_common"),
    ],
)
def test_a_password_is_long_uncommon_and_nobodys_name(password, code, person):
    wang = person("wang.xiaoming")

    if code is None:
        validate_password(password, wang)
        return
    with pytest.raises(ValidationError) as refused:
        validate_password(password, wang)
    assert code in [error.code for error in refused.value.error_list]


def test_none_of_the_last_five_passwords_comes_back(person):
    wang = person("wang")
    for number in range(5):
        wang.set_password(f"another-passphrase-{number}")
        wang.save()

    validate_password(PASSWORD, wang)
    for number in range(5):
        with pytest.raises(ValidationError) as refused:
            validate_password(f"another-passphrase-{number}", wang)
        assert [error.code for error in refused.value.error_list] == ["password_used_before"]
    assert FormerPassword.objects.filter(user=wang).count() == 6


def change_password(client, old, new):
    fields = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post("/admin/password_change/", fields)


def test_ones_own_change_is_checked_written_down_and_ends_other_sessions(person):
    person("wang")
    here, there = signed_in("wang"), signed_in("wang", "10.0.0.2")

    assert change_password(here, PASSWORD, PASSWORD).status_code == 200
    assert User.objects.get(username="wang").check_password(PASSWORD)
    assert there.get(INDEX).status_code == 200
    assert change_password(here, PASSWORD, "quite-another-passphrase").status_code == 302

    assert here.get(INDEX).status_code == 200
    assert there.get(INDEX).status_code == 302
    assert audit(event="password_changed") == [("password_changed", "wang", "")]


@pytest.mark.parametrize("why", ["set by another", "old"])
def test_a_password_that_is_due_is_changed_before_anything_else(why, person, settings):
    person("wang", must_change_password=why == "set by another")
    client = browser()
    if why == "old":
        settings.PASSWORD_DAYS = -1
    give_password(client, "wang")
    settings.PASSWORD_DAYS = 90

    page = client.get("/admin/loans/note/")
    assert (page.status_code, page.url) == (
        302,
        "/admin/password_change/?next=%2Fadmin%2Floans%2Fnote%2F",
    )
    assert change_password(client, PASSWORD, "quite-another-passphrase").status_code == 302
    assert client.get("/admin/loans/note/").status_code == 200
    assert User.objects.get(username="wang").must_change_password is False


def test_five_failures_lock_this_name_at_this_address_only(person):
    person("wang")
    person("zhao")
    client = browser()
    answers = [give_password(client, "wang", WRONG).status_code for _ in range(5)]

    assert answers == [200, 200, 200, 200, 429]
    assert give_password(client, "wang").status_code == 429
    assert client.get(INDEX).status_code == 302
    assert give_password(browser(), "zhao").status_code == 302
    assert give_password(browser("10.0.0.2"), "wang").status_code == 302
    assert audit() == [
        *[("refused", "wang", "password")] * 4,
        *[("locked", "wang", "password")] * 2,
        ("signed_in", "zhao", "password"),
        ("signed_in", "wang", "password"),
    ]


def test_a_lock_ends_after_a_quarter_of_an_hour_however_often_one_tries(person):
    person("wang")
    for _ in range(5):
        give_password(browser(), "wang", WRONG)
    AccessAttempt.objects.update(attempt_time=timezone.localtime() - timedelta(minutes=14))
    assert give_password(browser(), "wang").status_code == 429
    AccessAttempt.objects.update(
        attempt_time=timezone.localtime() - timedelta(minutes=15, seconds=1)
    )

    assert give_password(browser(), "wang").status_code == 302


def test_an_administrator_unlocks_with_a_reason_in_the_audit(person):
    wang = person("wang")
    for _ in range(5):
        give_password(browser(), "wang", WRONG)
    boss = client_of(person("boss", Role.ADMINISTRATOR))
    page = f"/admin/kernel/user/{wang.pk}/unlock/"

    assert "解除锁定" in boss.get(f"/admin/kernel/user/{wang.pk}/change/").content.decode()
    assert boss.post(page, {"why": ""}).status_code == 200
    assert give_password(browser(), "wang").status_code == 429
    assert boss.post(page, {"why": "本人来电"}).status_code == 302

    assert give_password(browser(), "wang").status_code == 302
    unlocked = SignIn.objects.get(event="unlocked")
    assert (unlocked.username, unlocked.actor, unlocked.detail) == ("wang", "boss", "本人来电")


@pytest.mark.parametrize("role", [Role.MAKER, Role.CHECKER, Role.AUDITOR, Role.MANAGER])
@pytest.mark.parametrize("step", ["unlock", "reset-factor", "end-sessions"])
def test_nobody_else_does_that(step, role, person):
    wang = person("wang")
    epoch = wang.session_epoch
    client = client_of(person("other", role))

    answer = client.post(f"/admin/kernel/user/{wang.pk}/{step}/", {"why": "试"})

    assert answer.status_code in {302, 403, 404}
    wang.refresh_from_db()
    assert wang.session_epoch == epoch
    assert audit(user=wang) == []


def test_a_name_nobody_has_is_never_written_down(person):
    give_password(browser(), "hunter2-my-secret-password", WRONG)
    give_password(browser(), "hunter2-my-secret-password", WRONG)

    names = set(SignIn.objects.values_list("username", flat=True))
    counted = AccessAttempt.objects.get()
    assert len(names) == 1
    assert names == {counted.username}
    assert counted.failures_since_start == 2
    assert counted.username.startswith("?")
    kept = f"{counted.username} {counted.post_data} {counted.get_data} {counted.path_info}"
    assert "hunter2" not in kept
    assert WRONG not in kept


@pytest.mark.parametrize(
    ("more", "why"),
    [({"is_active": False}, "用户已停用 / inactive"), ({}, "密码不符")],
)
def test_the_audit_says_why_and_the_page_does_not(more, why, person):
    person("wang", **more)
    page = give_password(browser(), "wang", PASSWORD if more else WRONG)

    assert why not in page.content.decode()
    assert SignIn.objects.get().detail.startswith(why)
    assert SignIn.objects.get().address == "10.0.0.1"


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6", "10.0.0.1"),
        ("192.168.9.1", "6.6.6.6", "6.6.6.6"),
        ("192.168.9.1", "1.1.1.1, 6.6.6.6", "6.6.6.6"),
        ("192.168.9.1", "1.1.1.1, 6.6.6.6, 192.168.9.2", "6.6.6.6"),
        ("192.168.9.1", "nonsense", "192.168.9.1"),
        ("192.168.9.1", "6.6.6.6, nonsense", "192.168.9.1"),
        ("192.168.9.1", "", "192.168.9.1"),
        ("192.168.9.1", "::ffff:6.6.6.6", "6.6.6.6"),
        ("192.168.9.1", "2001:db8::1", "2001:db8::1"),
        ("", "6.6.6.6", None),
    ],
)
def test_only_a_trusted_proxy_is_believed(remote, forwarded, address, settings):
    settings.TRUSTED_PROXIES = [ip_network("192.168.9.0/24")]
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)

    assert signin.client_address(request) == address


def test_after_signing_in_one_is_told_of_the_time_before(person):
    wang = person("wang")
    at = timezone.make_aware(timezone.datetime(2026, 3, 31, 9, 5))
    signin.record(event="signed_in", at=at, caller=signin.Caller("10.9.9.9"), user=wang)
    give_password(browser(), "wang", WRONG)
    client = signed_in("wang")

    page = client.get(INDEX).content.decode()
    again = client.get("/admin/my-sign-ins/").content.decode()

    told = "上次登录 2026-03-31 09:05，地址 10.9.9.9；此后失败 1 次"
    assert told in page
    assert told in again


def test_auditors_read_the_audit_of_their_own_institutions_people(person):
    person("wang", place=rows.NANJING)
    person("yuan", place=rows.OTHER)
    for name in ("wang", "yuan", "nobody-at-all"):
        give_password(browser(), name, WRONG)
    auditor = client_of(person("shen", Role.AUDITOR))
    boss = client_of(person("boss", Role.ADMINISTRATOR))

    def listed(client, **query):
        shown = client.get("/admin/kernel/signin/", query).context["cl"].result_list
        return {row.username for row in shown if row.event == "refused"}

    unknown = signin.name_of("nobody-at-all")
    assert listed(auditor) == {"wang"}
    assert listed(boss) == {"wang", "yuan", unknown}
    assert listed(boss, q="10.0.0.1") == {"wang", "yuan", unknown}
    assert listed(boss, q="10.0.0.9") == set()
    hidden = SignIn.objects.get(username="yuan")
    assert auditor.get(f"/admin/kernel/signin/{hidden.pk}/change/").status_code == 302
    for role in (Role.MAKER, Role.CHECKER, Role.MANAGER, Role.FINANCE_VIEWER):
        other = client_of(person(f"other-{role}", role))
        assert other.get("/admin/kernel/signin/").status_code == 403
