"""The site's addresses in an installation with single sign-on."""

from config import urls
from config.kernel.admin import single_sign_on

urlpatterns = [*urls.urlpatterns, *single_sign_on.urlpatterns]
