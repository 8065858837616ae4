"""People: administrators add and change them; nobody is ever deleted, only deactivated."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config.kernel.admin.access import is_administrator, sees_everything
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.institutions import within_scope
from config.kernel.admin.searching import exact, prefix
from config.kernel.models import Role, User

SYSTEM_ACTORS = frozenset({"system", "system-checker"})


class PersonRules:
    """What must hold of a person, however entered."""

    def clean(self) -> dict[str, Any]:
        """Only administrators see everything; anybody else needs an institution."""
        data: dict[str, Any] = super().clean() or {}  # type: ignore[misc]
        if data.get("role") != Role.ADMINISTRATOR and data.get("institution") is None:
            raise ValidationError({"institution": _("除系统管理员外，须指定所属机构")})
        return data


class PersonAddForm(PersonRules, UserCreationForm):  # type: ignore[misc]
    """A new person."""


class PersonChangeForm(PersonRules, UserChangeForm):  # type: ignore[misc]
    """A known person."""


@admin.register(User)
class PeopleAdmin(UserAdmin, ReadOnlyAdmin):  # type: ignore[misc,type-arg]
    """People, for administrators, within their scope."""

    is_short = True
    form = PersonChangeForm
    add_form = PersonAddForm
    change_password_form = AdminPasswordChangeForm
    list_display = (
        "username",
        "last_name",
        "first_name",
        "role",
        "institution",
        "is_active",
        "last_login",
    )
    list_display_links = ("username",)
    list_filter = ("role", "is_active", "is_staff")
    list_select_related = ("institution",)
    ordering = ("username",)
    search_fields = ("username",)
    search_by = (prefix("username"), prefix("last_name"), exact("institution__code"))
    search_help_text = _("用户名或姓的开头、机构编码")
    autocomplete_fields = ("institution",)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("个人"), {"fields": ("last_name", "first_name", "email")}),
        (_("权限"), {"fields": ("role", "institution", "is_active", "is_staff")}),
        (_("时间"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    add_fieldsets = (
        (
            None,
            {"fields": ("username", "password1", "password2", "role", "institution", "is_staff")},
        ),
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """As the form has them."""
        return super(ReadOnlyAdmin, self).get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """People of the administrator's institutions."""
        people: QuerySet[Any] = super().get_queryset(request)
        if sees_everything(request):
            return people
        return people.filter(institution__in=within_scope(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators."""
        return is_administrator(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Administrators."""
        return is_administrator(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators; the system's own actors stay as they are."""
        return is_administrator(request) and (obj is None or obj.username not in SYSTEM_ACTORS)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """An institution within the administrator's own scope; blank only for who sees everything."""
        if db_field.name == "institution":
            kwargs["queryset"] = within_scope(request)
            kwargs["required"] = not sees_everything(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """New people work in the admin unless said otherwise."""
        return {**super().get_changeform_initial_data(request), "is_staff": True}
