"""A page that looks again by itself while something is under way: it keeps no session alive."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

import pytest

from config.kernel.services import sessions
from tests.integration.door import INDEX, audit, person, signed_in, tree  # noqa: F401
from tests.integration.test_second_factor import age

pytestmark = pytest.mark.django_db


def test_a_page_that_looks_again_by_itself_keeps_no_session_alive(person):
    person("wang")
    client = signed_in("wang")
    for seconds in (100, 1600):
        age(client, SEEN=seconds)
        seen = client.session[sessions.SEEN]
        assert client.get(INDEX, headers={"X-Watching": "1"}).status_code == 200
        assert client.session[sessions.SEEN] == seen
    age(client, SEEN=100)

    answer = client.get("/admin/loans/note/", headers={"X-Watching": "1"})

    assert (answer.status_code, answer.url) == (
        302,
        "/admin/login/?next=%2Fadmin%2Floans%2Fnote%2F",
    )
    assert audit()[-1] == ("expired", "wang", "")
