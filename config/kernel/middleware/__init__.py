"""What every request passes through."""

from config.kernel.middleware.language import LanguageMiddleware
from config.kernel.middleware.scope import ScopeMiddleware

__all__ = ["LanguageMiddleware", "ScopeMiddleware"]
