"""The REST interface: OAuth2 client credentials, errors, documents."""

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
