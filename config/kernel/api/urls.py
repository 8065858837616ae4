"""Addresses of jobs."""

from django.urls import URLPattern, path

from config.kernel.api.jobs import Jobs

urlpatterns: list[URLPattern] = [
    path("jobs/<str:id>/", Jobs.as_view({"get": "retrieve"}), name="api-job"),
]
