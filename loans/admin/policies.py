"""What policies refer to: labels, participating banks, funds, the LPR."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import LevelFilter
from config.kernel.admin.searching import exact, prefix
from loans.admin.base import FactAdmin, SchemeFilter
from loans.models import Lpr, Participation, SchemeFund, SchemeLabel


@admin.register(SchemeLabel)
class SchemeLabelAdmin(FactAdmin):
    """Codes a note may be labelled with."""

    is_short = True
    when_empty = _("还没有标签：装载贴息政策（load_schemes）后，各政策的代码在此列出。")
    ordering = ("code",)
    list_display = ("code", "name")
    search_by = (prefix("code"), prefix("name"))
    search_help_text = _("政策代码或名称的开头")


@admin.register(Participation)
class ParticipationAdmin(FactAdmin):
    """Which institutions take part in which policy."""

    is_short = True
    when_empty = _(
        "还没有合作银行：由不限机构的系统管理员在“文件导入”中导入（数据类别“合作银行”）。"
    )
    ordering = ("scheme_code", "institution_id", "valid_from")
    list_display = ("institution_name", "scheme_label", "valid_from", "valid_to")
    list_filter = (SchemeFilter, LevelFilter)
    list_select_related = ("institution",)
    search_by = (exact("institution__code"), prefix("institution__name"), exact("scheme_code"))
    search_help_text = _("机构编码、机构名称的开头、政策代码")


@admin.register(Lpr)
class LprAdmin(FactAdmin):
    """Fixings of the loan prime rate."""

    is_short = True
    when_empty = _(
        "还没有贷款市场报价利率：由不限机构的系统管理员在“文件导入”中导入（数据类别“贷款市场报价利率”）。"
    )
    ordering = ("-published_on",)
    list_display = ("published_on", "one_year_percent", "five_year_percent")


@admin.register(SchemeFund)
class SchemeFundAdmin(FactAdmin):
    """Funds per policy and year."""

    is_short = True
    when_empty = _(
        "还没有政策年度资金：由不限机构的系统管理员在“文件导入”中导入（数据类别“年度资金”）。"
    )
    list_display = ("scheme_label", "year", "amount_yuan")
    list_filter = (SchemeFilter, "year")
    search_by = (exact("scheme_code"),)
    search_help_text = _("政策代码")
