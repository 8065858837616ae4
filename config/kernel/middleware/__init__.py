"""What every request passes through."""

from config.kernel.middleware.encoding import EncodingMiddleware
from config.kernel.middleware.language import LanguageMiddleware
from config.kernel.middleware.scope import ScopeMiddleware

__all__ = ["EncodingMiddleware", "LanguageMiddleware", "ScopeMiddleware"]
