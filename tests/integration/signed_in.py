"""Somebody signed in, wholly: with a second factor proved, as checkers and administrators have to."""

from django.test import Client
from django.urls import reverse
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice


def client_of(user, **options):
    """A browser in which this person is signed in."""
    client = Client(**options)
    sign_in(client, user)
    return client


def sign_in(client, user):
    """Sign the person in; the session is verified by a device of theirs, whatever their role becomes."""
    client.force_login(user)
    device, _new = TOTPDevice.objects.get_or_create(user=user, confirmed=True)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
    client.get(reverse("admin:jsi18n"))  # the session begins with its first request,
    client.cookies.pop("messages", None)  # which says when the person came in last
