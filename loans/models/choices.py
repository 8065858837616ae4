"""Codes that files and columns share, with the words people see."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tier(models.TextChoices):
    CENTRAL = "central", _("中央")
    PROVINCIAL = "provincial", _("省级")
    MUNICIPAL = "municipal", _("市级")


class Size(models.TextChoices):
    MICRO = "micro", _("微型")
    SMALL = "small", _("小型")
    MEDIUM = "medium", _("中型")
    LARGE = "large", _("大型")


class Ownership(models.TextChoices):
    PRIVATE = "private", _("民营")
    STATE = "state", _("国有")
    COLLECTIVE = "collective", _("集体")
    FOREIGN = "foreign", _("外资")


class EnvironmentRating(models.TextChoices):
    GREEN = "green", _("绿")
    BLUE = "blue", _("蓝")
    YELLOW = "yellow", _("黄")
    RED = "red", _("红")
    BLACK = "black", _("黑")


class TaxRating(models.TextChoices):
    A = "A", "A"
    B = "B", "B"
    M = "M", "M"
    C = "C", "C"
    D = "D", "D"


class Title(models.TextChoices):
    LITTLE_GIANT = "little_giant", _("专精特新“小巨人”企业")
    SPECIALIZED = "specialized", _("专精特新中小企业")


class LoanType(models.TextChoices):
    FIXED_ASSET = "fixed_asset", _("固定资产贷款")
    PROJECT = "project", _("项目贷款")
    WORKING_CAPITAL = "working_capital", _("流动资金贷款")
    POLICY_INSTRUMENT = "policy_instrument", _("新型政策性金融工具")
    TECH_INNOVATION = "tech_innovation", _("科技创新类贷款")


class NoteState(models.TextChoices):
    OVERDUE = "overdue", _("逾期")
    EXTENDED = "extended", _("展期")
    NON_PERFORMING = "non_performing", _("不良")


class ExternalKind(models.TextChoices):
    LOAN_INTEREST = "loan_interest", _("贷款贴息")
    LEASING_INTEREST = "leasing_interest", _("融资租赁贴息")
    GRANT = "grant", _("奖补")


class Review(models.TextChoices):
    APPROVED = "approved", _("通过")
    REJECTED = "rejected", _("不予贴息")
    DISALLOWED = "disallowed", _("核减")
