"""Helpers of the tests at the door: people with passwords, browsers at addresses, codes."""

import time

import pytest
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.kernel.models import Role, SignIn, User
from tests import database
from tests.integration import rows
from tests.integration.signed_in import sign_in

PASSWORD = "a-long-enough-passphrase-9"
WRONG = "a-wrong-but-long-passphrase"
LOGIN, INDEX = "/admin/login/", "/admin/"


@pytest.fixture
def tree():
    return rows.institutions()


@pytest.fixture
def person(tree):
    """Make somebody of the bank with a password."""

    def make(name, role=Role.MAKER, place=rows.BANK, **more):
        institution = None if role == Role.ADMINISTRATOR else tree[place]
        user = User(username=name, role=role, institution=institution, is_staff=True, **more)
        user.set_password(PASSWORD)
        user.save()
        return user

    return make


class Browser(Client):
    """A browser whose requests are answered as the web's database role."""

    def request(self, **request):
        with database.as_role("app"):
            return super().request(**request)


def browser(address="10.0.0.1"):
    return Browser(REMOTE_ADDR=address)


def client_of(user, address="10.0.0.1"):
    """A browser in which this person is wholly in."""
    client = browser(address)
    sign_in(client, user)
    return client


def give_password(client, name, password=PASSWORD, **more):
    return client.post(LOGIN, {"username": name, "password": password, **more})


def signed_in(name, address="10.0.0.1"):
    client = browser(address)
    response = give_password(client, name)
    assert response.status_code == 302, response.content.decode()
    return client


def factor(user, **more):
    """An authenticator the person has already."""
    return TOTPDevice.objects.create(user=user, confirmed=True, **more)


def code_of(device, steps=0):
    totp = TOTP(device.bin_key)
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06d}"


def give_code(client, code, **more):
    return client.post(reverse("second_factor"), {"code": code, **more})


def audit(**filters):
    """The audit, oldest first: event, name, method."""
    found = SignIn.objects.filter(**filters).order_by("id")
    return list(found.values_list("event", "username", "method"))
