"""Addresses of enterprises: what one looks like on each channel, and how much of it is shown."""

CHANNELS = {"sms": "短信", "app": "APP消息", "email": "电子邮件"}

MOBILE = r"^(?:1[3-9][0-9]{9}|\+[1-9][0-9]{6,14})$"
"""A mobile number of the mainland, or one in international form (E.164)."""
EMAIL = r"^[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+$"
"""One bare e-mail address."""
APP_USER = r"^\S+$"
"""What the bank's app knows a person by."""

_SHOWN = 4


def masked(address: str) -> str:
    """As much of an address as tells it from others: `13800001234` → `*******1234`.

    Of an e-mail address the first character and the domain, `z***@example.com`.
    """
    person, at, domain = address.rpartition("@")
    if at:
        return f"{person[:1]}***@{domain}"
    hidden = max(len(address) - _SHOWN, min(len(address), _SHOWN))
    return "*" * hidden + address[hidden:]
