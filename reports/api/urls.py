"""Addresses of reports and their files."""

from django.urls import URLPattern, path

from reports.api.endpoints import Reports

urlpatterns: list[URLPattern] = [
    path("reports/", Reports.as_view({"get": "list"}), name="api-reports"),
    path("reports/<str:id>/", Reports.as_view({"get": "retrieve"}), name="api-report"),
    path(
        "reports/<str:id>/files/<str:ending>/",
        Reports.as_view({"get": "file"}),
        name="api-report-file",
    ),
]
