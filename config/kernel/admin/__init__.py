"""Pages of institutions, people and runs; and what every page of the admin shares."""

from django.contrib import admin
from django.contrib.auth.models import Group

from config.kernel.admin.institutions import InstitutionAdmin
from config.kernel.admin.people import PeopleAdmin
from config.kernel.admin.work import ChunkAdmin, RunAdmin

__all__ = ["ChunkAdmin", "InstitutionAdmin", "PeopleAdmin", "RunAdmin"]

admin.site.unregister(Group)  # what a person may do follows from the role alone
