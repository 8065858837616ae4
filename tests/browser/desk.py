"""Two people at their browsers: what they press, send and are told, with a picture of each page they look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from config.kernel.models import Institution, Role, User
from tests import database
from tests.browser.door import PASSWORD, barriers, chromium, come_in, has_authenticator, keep

Found = TypeVar("Found")
MAKER, CHECKER = "zhang", "li"


def two_people(place: Institution) -> None:
    """A maker and a checker of an institution, with authenticators."""
    for name, role in ((MAKER, Role.MAKER), (CHECKER, Role.CHECKER)):
        has_authenticator(
            User.objects.create_user(
                name, password=PASSWORD, role=role, institution=place, is_staff=True
            )
        )


class Desk:
    """Everybody's page, and what went wrong on any of them."""

    def __init__(self, browser: Any, address: str, walk: str) -> None:
        self.browser, self.address, self.walk = browser, address, walk
        self.failures: list[str] = []
        self.barriers: list[str] = []
        self.pages: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self.pages:
            page = self.browser.new_context(
                viewport={"width": 1366, "height": 768}, accept_downloads=True, locale="zh-CN"
            ).new_page()
            page.on("pageerror", lambda error: self.failures.append(f"{error} {error.stack}"))
            page.on("response", self._noted)
            come_in(page, self.address, name)
            self.pages[name] = page
        return self.pages[name]

    def _noted(self, response: Any) -> None:
        if response.status >= 400:
            self.failures.append(f"{response.status} {response.url}")

    def go(self, name: str, path: str) -> Any:
        """That person's page at an address of the admin."""
        page = self[name]
        page.goto(f"{self.address}/admin/{path}")
        return page

    def menu(self, name: str, model: str) -> Any:
        """The list that the menu leads to: `loans/note`."""
        page = self[name]
        link = page.locator(f"#nav-sidebar a[href='/admin/{model}/']")
        if not link.is_visible():
            page.goto(f"{self.address}/admin/{model}/")
            return page
        link.click()
        page.wait_for_url(f"**/admin/{model}/")
        return page

    def waiting(self, name: str, kind: str) -> Any:
        """From home to what waits for this person, by what the work is called there."""
        page = self.go(name, "")
        page.click(f"#home a:has-text('{kind}') >> nth=0")
        page.wait_for_selector("#result_list")
        return page

    def row(self, name: str, words: str) -> Any:
        """From a list to the page of the row that says these words."""
        page = self[name]
        row = page.locator("#result_list tbody tr", has_text=words).first
        row.locator("th a, td a").first.click()
        page.wait_for_selector(".form-rows")
        return page

    def press(self, name: str, title: str) -> Any:
        """Press a button at the top of the page."""
        page = self[name]
        page.click(f"#main > header a:has-text('{title}') >> visible=true")
        page.wait_for_load_state()
        return page

    def fill(self, name: str, **values: str) -> None:
        """Fill the step's form in: fields by name; the words of a choice, text of anything else."""
        page = self[name]
        for field, value in values.items():
            box = page.locator(f"#id_{field}")
            if box.evaluate("box => box.tagName") == "SELECT":
                box.select_option(label=value)
            else:
                box.fill(value)

    def submit(self, name: str) -> str:
        """Send the step's form; what the page says then."""
        page = self[name]
        page.click("#step-form button[type=submit]")
        page.wait_for_load_state()
        return str(page.inner_text("body"))

    def told(self, name: str) -> str:
        """What the page says."""
        return str(self[name].inner_text("#content-main"))

    def look(self, name: str, file: str) -> str:
        """Keep a picture of the page, and what axe says against it; what the page says."""
        page = self[name]
        page.wait_for_load_state("networkidle")
        keep(page, f"{self.walk}-{file}")
        self.barriers += [f"{file}: {one}" for one in barriers(page)]
        return self.told(name)

    def cannot(self, name: str, step: str) -> None:
        """A step is neither offered on the page nor had by its address."""
        page = self[name]
        address = page.url.partition("?")[0].replace("/change/", f"/{step}/")
        assert page.locator(f"a[href$='/{step}/']").count() == 0, f"{step} is offered to {name}"
        assert page.context.request.get(address).status == 403, address

    def saved(self, name: str, link: str) -> bytes:
        """The file that a link gives."""
        page = self[name]
        with page.expect_download() as taken:
            page.click(f"#main a:has-text('{link}') >> visible=true")
        content: bytes = taken.value.path().read_bytes()
        return content


@contextmanager
def desks(address: str, walk: str) -> Iterator[Desk]:
    """Desks for one walk; in the end nothing failed and nothing kept anybody out."""
    with chromium() as browser:
        made = Desk(browser, address, walk)
        yield made
    found = [*made.failures, *made.barriers]
    assert found == [], "\n".join(found)


def whole(ask: Callable[[], Found]) -> Found:
    """The answer as a worker sees it, while the web waits; a browser's thread may ask no database."""

    def asked() -> Found:
        with database.worker_connections():
            return ask()

    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asked).result()
