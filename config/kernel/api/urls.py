"""Addresses of jobs and of what events look like."""

from django.urls import URLPattern, path

from config.kernel.api.events import EventSchemas
from config.kernel.api.jobs import Jobs

urlpatterns: list[URLPattern] = [
    path("event-schemas/", EventSchemas.as_view({"get": "retrieve"}), name="api-event-schemas"),
    path("jobs/<str:id>/", Jobs.as_view({"get": "retrieve"}), name="api-job"),
]
