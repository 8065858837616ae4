"""The REST interface: OAuth2 client credentials, scopes, errors, documents."""

import os

# The provider's own tables; it asks for their names.
(
    OAUTH2_PROVIDER_APPLICATION_MODEL,
    OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL,
    OAUTH2_PROVIDER_ID_TOKEN_MODEL,
    OAUTH2_PROVIDER_GRANT_MODEL,
    OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL,
    OAUTH2_PROVIDER_DEVICE_GRANT_MODEL,
) = (
    f"oauth2_provider.{name}"
    for name in ("Application", "AccessToken", "IDToken", "Grant", "RefreshToken", "DeviceGrant")
)
# What a client may be let do, action by action.
API_SCOPES = {
    "pre-allocations:write": "登记预拨资金 / enter pre-allocations",
    "pre-allocations:read": "查看预拨资金 / read pre-allocations",
    "review-results:write": "登记审核结果 / enter review results",
    "settlements:read": "查看结算与清算 / read settlements and liquidations",
    "settlements:decide": "批复结算 / decide settlements",
    "liquidations:decide": "批复清算 / decide liquidations",
    "clawbacks:write": "下达追回通知 / order clawbacks",
    "clawbacks:read": "查看追回通知 / read orders to claw back",
    "external-subsidies:write": "登记外部补贴 / enter external subsidies",
    "reports:read": "查看和下载报表 / read and download reports",
    "fund-balances:read": "查看专户余额 / read fund balances",
    "notes:write": "登记借据 / enter notes",
    "repayments:write": "登记还本 / enter repayments",
    "interest-collections:write": "登记收息 / enter interest collections",
    "imports:write": "上传导入文件 / upload files to import",
    "deductions:read": "查看贴息和说明 / read deductions and their explanations",
    "deduction-runs:write": "下达贴息计算 / order deduction runs",
    "duplicate-probes:ask": "跨行查询重复贴息 / ask whether other banks subsidise the same",
    "jobs:read": "查看任务进度 / read the progress of jobs",
}
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
    "OAUTH2_VALIDATOR_CLASS": "config.kernel.api.tokens.Validator",
    "SCOPES_BACKEND_CLASS": "config.kernel.api.tokens.ClientScopes",
    "SCOPES": API_SCOPES,
    "DEFAULT_SCOPES": [],
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    # What is no longer thought safe is off (RFC 9700), tokens are kept as digests among it.
    **{
        f"COMPLIANT_BCP_RFC9700_{name}": True
        for name in (
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "REDIRECT_URI_SCHEME",
            "REFRESH_TOKEN",
            "TOKEN_STORAGE",
        )
    },
}
REST_FRAMEWORK = {
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "config.kernel.api.schema.EndpointSchema",
    "EXCEPTION_HANDLER": "config.kernel.api.problems.handle",
    "URL_FORMAT_OVERRIDE": None,
}
# What a trusted proxy tells of a client's certificate: its SHA-256, in hexadecimal.
CLIENT_CERTIFICATE_HEADER = os.environ.get("CLIENT_CERTIFICATE_HEADER") or "X-SSL-Client-SHA256"
API_STRANGERS_PER_MINUTE = 120  # tokens asked for, and requests without one, from one address
API_VERSION = "1.0.0"
SPECTACULAR_SETTINGS = {
    "TITLE": "财政贴息银行端接口 / Bank-side interface for loan-interest subsidies",
    "VERSION": API_VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SORT_OPERATIONS": True,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["config.kernel.api.schema.finish"],
}
