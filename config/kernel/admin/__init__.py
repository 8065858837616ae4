"""Pages of institutions, people and runs; and what every page of the admin shares."""

from django.contrib import admin
from django.contrib.auth.models import Group
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from oauth2_provider.models import (
    AccessToken,
    Application,
    Grant,
    IDToken,
    RefreshToken,
)

from config.kernel.admin.clients import ApiClientAdmin, ClientSecretAdmin, SigningKeyAdmin
from config.kernel.admin.departments import FinanceDepartmentAdmin
from config.kernel.admin.institutions import InstitutionAdmin
from config.kernel.admin.outbox import DeliveryAdmin, DeliveryStepAdmin, EventAdmin
from config.kernel.admin.people import PeopleAdmin
from config.kernel.admin.sign_ins import SignInAdmin
from config.kernel.admin.signing_in import SignInForm
from config.kernel.admin.webhooks import WebhookEndpointAdmin, WebhookSecretAdmin
from config.kernel.admin.work import ChunkAdmin, RunAdmin

__all__ = [
    "ApiClientAdmin",
    "ChunkAdmin",
    "ClientSecretAdmin",
    "DeliveryAdmin",
    "DeliveryStepAdmin",
    "EventAdmin",
    "FinanceDepartmentAdmin",
    "InstitutionAdmin",
    "PeopleAdmin",
    "RunAdmin",
    "SignInAdmin",
    "SigningKeyAdmin",
    "WebhookEndpointAdmin",
    "WebhookSecretAdmin",
]

admin.site.unregister(Group)  # what a person may do follows from the role alone
# Their pages would show secrets and tokens, or forms of ways in that are closed here.
for hidden in (
    *(StaticDevice, TOTPDevice),
    *(AccessToken, Application, Grant, IDToken, RefreshToken),
):
    admin.site.unregister(hidden)
admin.site.login_form = SignInForm
admin.site.login_template = "kernel/login.html"
