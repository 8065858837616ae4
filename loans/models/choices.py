"""Codes that files and columns share, with the words people see."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tier(models.TextChoices):
    """Whose money it is (资金层级)."""

    CENTRAL = "central", _("中央")
    PROVINCIAL = "provincial", _("省级")
    MUNICIPAL = "municipal", _("市级")


class FundPurpose(models.TextChoices):
    """What pre-allocated money is for (用途, ST-17)."""

    INTEREST = "interest", _("贷款贴息")
    GUARANTEE_FEE = "guarantee_fee", _("担保费补贴")


class Size(models.TextChoices):
    """Size of an enterprise (企业规模)."""

    MICRO = "micro", _("微型")
    SMALL = "small", _("小型")
    MEDIUM = "medium", _("中型")
    LARGE = "large", _("大型")


class Ownership(models.TextChoices):
    """Who owns an enterprise (所有制)."""

    PRIVATE = "private", _("民营")
    STATE = "state", _("国有")
    COLLECTIVE = "collective", _("集体")
    FOREIGN = "foreign", _("外资")


class EnvironmentRating(models.TextChoices):
    """Environmental credit rating (环保信用评价)."""

    GREEN = "green", _("绿")
    BLUE = "blue", _("蓝")
    YELLOW = "yellow", _("黄")
    RED = "red", _("红")
    BLACK = "black", _("黑")


class TaxRating(models.TextChoices):
    """Tax credit grade (纳税信用等级)."""

    A = "A", "A"
    B = "B", "B"
    M = "M", "M"
    C = "C", "C"
    D = "D", "D"


class Title(models.TextChoices):
    """Titles that open a policy to any industry (称号, MF-02)."""

    LITTLE_GIANT = "little_giant", _("专精特新“小巨人”企业")
    SPECIALIZED = "specialized", _("专精特新中小企业")


class LoanType(models.TextChoices):
    """Kind of loan (贷款类型)."""

    FIXED_ASSET = "fixed_asset", _("固定资产贷款")
    PROJECT = "project", _("项目贷款")
    WORKING_CAPITAL = "working_capital", _("流动资金贷款")
    POLICY_INSTRUMENT = "policy_instrument", _("新型政策性金融工具")
    TECH_INNOVATION = "tech_innovation", _("科技创新类贷款")


class NoteState(models.TextChoices):
    """States whose days are not subsidised (借据状态, D6)."""

    OVERDUE = "overdue", _("逾期")
    EXTENDED = "extended", _("展期")
    NON_PERFORMING = "non_performing", _("不良")


class ExternalKind(models.TextChoices):
    """Kind of outside subsidy (类别)."""

    LOAN_INTEREST = "loan_interest", _("贷款贴息")
    LEASING_INTEREST = "leasing_interest", _("融资租赁贴息")
    GRANT = "grant", _("奖补")


class Review(models.TextChoices):
    """Finance's answer on a note and month (审核结果)."""

    APPROVED = "approved", _("通过")
    REJECTED = "rejected", _("不予贴息")
    DISALLOWED = "disallowed", _("核减")


class PaperKind(models.TextChoices):
    """Kind of paper (资料种类); the same words as `loans.values.papers.PAPER_KINDS`."""

    BORROWER_UNDERTAKING = "borrower_undertaking", _("企业信用承诺书")
    SUPPLEMENTARY_AGREEMENT = "supplementary_agreement", _("贴息补充协议")
    INVOICE = "invoice", _("购置发票")
    PAYMENT_PROOF = "payment_proof", _("付款凭证")
    USE_OF_FUNDS = "use_of_funds", _("资金用途跟踪记录")
    COMMITMENT_LETTER = "commitment_letter", _("合作银行承诺书")
    ELIGIBILITY_PROOF = "eligibility_proof", _("企业资格证明")
    OTHER = "other", _("其他资料")


class Channel(models.TextChoices):
    """How an enterprise is told (SME-14, EQ-11), in the order of preference."""

    SMS = "sms", _("短信")
    APP = "app", _("APP 消息")
    EMAIL = "email", _("电子邮件")
