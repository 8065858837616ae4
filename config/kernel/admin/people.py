"""People: administrators add and change them; nobody is ever deleted, only deactivated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config.kernel.admin.access import is_administrator, is_inspector, sees_everything
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.history import HistoryAdmin
from config.kernel.admin.institutions import within_scope
from config.kernel.admin.person_steps import PersonSteps
from config.kernel.admin.searching import exact, number, prefix
from config.kernel.admin.sections import SECTION_ROWS, Section, link, list_address, texts
from config.kernel.admin.sign_ins import detail_of
from config.kernel.models import Role, SignIn, User
from config.kernel.services import passwords, sessions, signin

SYSTEM_ACTORS = frozenset({"system", "system-checker"})


class PersonRules:
    """What must hold of a person, however entered."""

    def clean(self) -> dict[str, Any]:
        """Only administrators see everything; anybody else needs an institution. One's own stays."""
        data: dict[str, Any] = super().clean() or {}  # type: ignore[misc]
        if "role" not in self.fields:  # type: ignore[attr-defined]
            return data
        if data.get("role") != Role.ADMINISTRATOR and data.get("institution") is None:
            raise ValidationError({"institution": _("除系统管理员外，须指定所属机构")})
        return data


class PersonAddForm(PersonRules, UserCreationForm):  # type: ignore[misc]
    """A new person."""


class PersonChangeForm(PersonRules, UserChangeForm):  # type: ignore[misc]
    """A known person."""


def sign_ins(request: HttpRequest, person: User) -> Section:
    """The person's latest sign-ins and what became of them."""
    latest = SignIn.objects.filter(user=person).order_by("-id")[: SECTION_ROWS // 5]
    return Section(
        title=_("登录记录"),
        columns=texts(_("时间"), _("事件"), _("操作人"), _("地址"), _("方式"), _("说明")),
        rows=[
            (
                link("kernel_signin", one.pk, f"{timezone.localtime(one.at):%Y-%m-%d %H:%M:%S}"),
                one.get_event_display(),
                one.actor,
                one.address,
                one.get_method_display(),
                detail_of(one),
            )
            for one in latest
        ],
        more=list_address("kernel_signin", q=person.username),
    )


# What a session was begun on: whoever loses or gains any of it signs in anew.
ENDS_SESSIONS = frozenset({"role", "institution", "is_active", "is_staff"})


@admin.register(User)
class PeopleAdmin(PersonSteps, UserAdmin, ReadOnlyAdmin):  # type: ignore[misc,type-arg]
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
    sections = (sign_ins,)
    add_fieldsets = (
        (
            None,
            {"fields": ("username", "password1", "password2", "role", "institution", "is_staff")},
        ),
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """As the form has them."""
        return super(ReadOnlyAdmin, self).get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A name is for good: it says who made and who checked. Nobody changes their own rights."""
        if obj is None:
            return self.readonly_fields
        own = ("role", "institution", "is_active", "is_staff") if obj.pk == request.user.pk else ()
        return ("username", *own, *self.readonly_fields)

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
        asked = super().get_changeform_initial_data(request)
        storable = {name: value for name, value in asked.items() if "\0" not in str(value)}
        return {**storable, "is_staff": True}

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        """Somebody else's first password has to be changed; a change of rights ends the sessions."""
        if not change:
            obj.must_change_password = True
        super().save_model(request, obj, form, change)
        if not change:
            self._note(request, obj, SignIn.Event.PASSWORD_CHANGED)
        elif ENDS_SESSIONS.intersection(form.changed_data):
            sessions.end_all(user=obj)
            self._note(request, obj, SignIn.Event.SESSIONS_ENDED)

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 (Django's name)
        form_url: str = "",
    ) -> HttpResponse:
        """Another's password: they change it at their next sign-in, and every session of theirs ends."""
        before = self.row(request, id)
        hashed = before.password if isinstance(before, User) else ""
        response: HttpResponse = super().user_change_password(request, id, form_url)
        person = User.objects.filter(pk=before.pk).first() if before is not None else None
        if person is not None and person.password != hashed:
            passwords.was_changed(user=person, by_another=person.pk != request.user.pk)
            self._note(request, person, SignIn.Event.PASSWORD_CHANGED)
        return response

    def _note(self, request: HttpRequest, person: User, event: str) -> None:
        signin.record(
            event=event,
            at=timezone.localtime(),
            caller=signin.caller(request),
            user=person,
            actor=request.user.get_username(),
        )


@admin.register(apps.get_model("kernel", "UserEvent"))
class UserEventAdmin(HistoryAdmin):
    """Former states of people, for administrators and auditors, within their scope."""

    search_by = (number("pgh_obj_id"), exact("username"))
    search_help_text = _("记录序号或用户名")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators and auditors; the database decides which rows."""
        return is_inspector(request)

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """Who it was, before what changed."""
        return ["kept_at", "what", "username", "who", "from_where", "changes"]
