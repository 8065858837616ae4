"""Somebody signed in, wholly: whose role asks for a second factor has proved one."""

from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice


def client_of(user, **options):
    """A browser in which this person is signed in."""
    client = Client(**options)
    sign_in(client, user)
    return client


def sign_in(client, user):
    """Sign the person in; a checker's or administrator's session is verified by a device of theirs."""
    client.force_login(user)
    if user.needs_second_factor:
        device, _new = TOTPDevice.objects.get_or_create(user=user, confirmed=True)
        session = client.session
        session[DEVICE_ID_SESSION_KEY] = device.persistent_id
        session.save()
