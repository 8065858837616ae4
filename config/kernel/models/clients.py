"""Machines that speak to us: treasuries and core-banking systems, for whom they speak, and what they proved."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models.history import tracked
from config.kernel.models.institution import Institution, Scope

ACTOR_PREFIX = "api:"  # no person's name has a colon


@tracked(added=True)
class FinanceDepartment(models.Model):
    """A finance department, and the institutions and schemes that answer to it."""

    class Level(models.TextChoices):
        CENTRAL = "central", _("中央财政")
        PROVINCIAL = "provincial", _("省级财政")
        MUNICIPAL = "municipal", _("市级财政")
        COUNTY = "county", _("县级财政")

    code = models.CharField(_("财政部门编码"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=200)
    level = models.CharField(_("财政层级"), max_length=20, choices=Level.choices)
    region_code = models.CharField(
        _("行政区划代码"), max_length=6, help_text=_("6 位 / 6 digits (GB/T 2260)")
    )
    scheme_codes = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("主管政策"),
        help_text=_("政策编码，逗号分隔 / scheme codes, separated by commas"),
    )

    class Meta:
        verbose_name = _("财政部门")
        verbose_name_plural = _("财政部门")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                name="department_level_known",
                condition=Q(level__in=["central", "provincial", "municipal", "county"]),
            ),
            models.CheckConstraint(name="department_has_schemes", condition=~Q(scheme_codes=[])),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def scopes(self) -> list[Scope]:
        """The ranges of institutions that answer to it, lowest first."""
        places = Institution.objects.filter(answers_to__department=self).order_by("id")
        return [place.scope for place in places]


@tracked(added=True)
class AnsweringInstitution(models.Model):
    """That an institution, with all below it, answers to a finance department."""

    department = models.ForeignKey(
        FinanceDepartment, models.PROTECT, verbose_name=_("财政部门"), related_name="answering"
    )
    place = models.ForeignKey(
        Institution, models.PROTECT, verbose_name=_("机构"), related_name="answers_to"
    )

    class Meta:
        verbose_name = _("对口机构")
        verbose_name_plural = _("对口机构")
        ordering = ["department", "place"]
        constraints = [models.UniqueConstraint(name="answers_once", fields=["department", "place"])]

    def __str__(self) -> str:
        return f"{self.place_id} → {self.department_id}"


@tracked(added=True)
class ApiClient(models.Model):
    """One machine: the OAuth2 application it is, whom it speaks for, and what it may do.

    It sees the rows of one institution and below, or of those that answer to a finance department.
    """

    application = models.OneToOneField(
        "oauth2_provider.Application", models.PROTECT, related_name="api_client", editable=False
    )
    name = models.SlugField(_("客户端名称"), max_length=60, unique=True)
    bound_to = models.ForeignKey(
        Institution,
        models.PROTECT,
        verbose_name=_("绑定机构"),
        related_name="api_clients",
        null=True,
        blank=True,
    )
    department = models.ForeignKey(
        FinanceDepartment,
        models.PROTECT,
        verbose_name=_("绑定财政部门"),
        related_name="api_clients",
        null=True,
        blank=True,
    )
    scopes = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("权限"),
        help_text=_("可申请的权限 / what it may ask for"),
    )
    requires_signature = models.BooleanField(
        _("资金请求须签名"),
        default=False,
        help_text=_("报文签名（RFC 9421）/ message signatures on what moves money"),
    )
    certificate_sha256 = models.CharField(
        _("客户端证书指纹"),
        max_length=64,
        blank=True,
        default="",
        help_text=_(
            "填写后只接受持此证书（SHA-256）经可信代理的请求"
            " / then only requests with this certificate, through a trusted proxy"
        ),
    )
    requests_per_minute = models.IntegerField(_("每分钟请求上限"), default=600)
    is_active = models.BooleanField(_("启用"), default=True)
    made_by = models.CharField(_("登记人"), max_length=150)
    made_at = models.DateTimeField(_("登记时间"))

    class Meta:
        verbose_name = _("接口客户端")
        verbose_name_plural = _("接口客户端")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="client_speaks_for_one",
                condition=Q(bound_to__isnull=True, department__isnull=False)
                | Q(bound_to__isnull=False, department__isnull=True),
            ),
            models.CheckConstraint(
                name="client_certificate_is_a_digest",
                condition=Q(certificate_sha256__regex=r"^([0-9a-f]{64})?$"),
            ),
            models.CheckConstraint(
                name="client_has_a_limit", condition=Q(requests_per_minute__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return str(self.name)

    @property
    def actor(self) -> str:
        """The name it acts under in every record: no person's."""
        return f"{ACTOR_PREFIX}{self.name}"


@tracked(added=True, exclude=["digest"])
class ClientSecret(models.Model):
    """The digest of a secret of a client; two may hold for a while, so that one can be replaced."""

    client = models.ForeignKey(
        ApiClient, models.PROTECT, verbose_name=_("客户端"), related_name="secrets"
    )
    digest = models.CharField(_("摘要"), max_length=64)
    made_by = models.CharField(_("生成人"), max_length=150)
    made_at = models.DateTimeField(_("生成时间"))
    ends_at = models.DateTimeField(_("失效时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("客户端密钥")
        verbose_name_plural = _("客户端密钥")
        ordering = ["client", "-id"]

    def __str__(self) -> str:
        return f"{self.client_id} #{self.pk}"


@tracked(added=True, exclude=["material"])
class SigningKey(models.Model):
    """A key by which a client signs its messages; `material` is sealed (see services.sealed)."""

    class Algorithm(models.TextChoices):
        HMAC_SHA256 = "hmac-sha256", "HMAC-SHA256"
        ED25519 = "ed25519", "Ed25519"

    client = models.ForeignKey(
        ApiClient, models.PROTECT, verbose_name=_("客户端"), related_name="signing_keys"
    )
    key_id = models.SlugField(_("密钥编号"), max_length=60, unique=True)
    algorithm = models.CharField(_("算法"), max_length=20, choices=Algorithm.choices)
    material = models.TextField(_("密钥"))
    made_by = models.CharField(_("生成人"), max_length=150)
    made_at = models.DateTimeField(_("生成时间"))
    ends_at = models.DateTimeField(_("失效时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("签名密钥")
        verbose_name_plural = _("签名密钥")
        ordering = ["client", "-id"]
        constraints = [
            models.CheckConstraint(
                name="signing_algorithm_known",
                condition=Q(algorithm__in=["hmac-sha256", "ed25519"]),
            )
        ]

    def __str__(self) -> str:
        return str(self.key_id)


class UsedNonce(models.Model):
    """That a client's signed message was taken; the same nonce is refused afterwards."""

    client = models.ForeignKey(ApiClient, models.PROTECT, related_name="+")
    nonce = models.CharField(max_length=128)
    used_at = models.DateTimeField()

    class Meta:
        verbose_name = _("已用随机数")
        verbose_name_plural = _("已用随机数")
        constraints = [models.UniqueConstraint(name="nonce_once", fields=["client", "nonce"])]

    def __str__(self) -> str:
        return f"{self.client_id} {self.nonce}"


class IdempotencyKey(models.Model):
    """What a client was answered under a key of its own, written with the effect itself."""

    client = models.ForeignKey(ApiClient, models.PROTECT, related_name="+")
    key = models.CharField(_("幂等键"), max_length=255)
    fingerprint = models.CharField(_("请求摘要"), max_length=64)
    method = models.CharField(_("方法"), max_length=10)
    path = models.CharField(_("地址"), max_length=300)
    status = models.SmallIntegerField(_("状态码"))
    body = models.TextField(_("应答"))
    location = models.CharField(_("位置"), max_length=300, blank=True, default="")
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("幂等键")
        verbose_name_plural = _("幂等键")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(name="key_once", fields=["client", "key"])]
        indexes = [models.Index(fields=["at"], name="idempotency_at")]

    def __str__(self) -> str:
        return f"{self.client_id} {self.key}"
