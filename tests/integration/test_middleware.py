"""One transaction and one scope per request; Chinese unless another language was chosen."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone, translation

from config.kernel.middleware import LanguageMiddleware, ScopeMiddleware
from config.kernel.models import SCOPE_ALL, Role, User
from config.kernel.services import sessions
from config.kernel.services.bulk import rows as query
from tests.integration import rows
from tests.integration.signed_in import client_of
from tests.integration.steps import address


def request_of(user):
    """A request in a session that began just now, wholly in."""
    request = RequestFactory().get("/")
    request.user = user
    moment = int(timezone.localtime().timestamp())
    request.session = {sessions.STARTED: moment, sessions.SEEN: moment, sessions.TRUSTED: True}
    return request


def scope_seen(user):
    """Which scope does a view see when this person asks?"""
    seen = []

    def view(request):
        seen.extend(
            query(
                "SELECT current_setting('app.lo', true), current_setting('app.hi', true),"
                " (SELECT count(*) FROM loans_note)"
            )
        )
        return HttpResponse()

    ScopeMiddleware(view)(request_of(user))
    return seen[0]


@pytest.mark.django_db
class TestScope:
    def test_a_person_sees_their_institution_and_those_below(self, as_role):
        tree = rows.institutions()
        for code in (rows.NANJING, rows.SUZHOU, rows.OTHER):
            rows.note(tree[code], f"N-{code}")
        bank, branch = tree[rows.BANK], tree[rows.NANJING]

        with as_role("app"):
            above = scope_seen(User(role=Role.MAKER, institution=bank))
            below = scope_seen(User(role=Role.MAKER, institution=branch))
            everything = scope_seen(User(role=Role.ADMINISTRATOR))

        assert above == (str(bank.pk), str(bank.last_id), 2)
        assert below == (str(branch.pk), str(branch.last_id), 1)
        assert everything == (str(SCOPE_ALL.lo), str(SCOPE_ALL.hi), 3)

    @pytest.mark.parametrize(
        "user",
        [AnonymousUser(), User(role=Role.MAKER), User(role=Role.ADMINISTRATOR, is_active=False)],
        ids=["unknown", "without an institution", "inactive"],
    )
    def test_others_see_nothing_whoever_asked_before(self, user, as_role):
        rows.note(rows.institutions()[rows.NANJING])

        with as_role("app"):
            assert scope_seen(User(role=Role.ADMINISTRATOR))[2] == 1
            assert scope_seen(user) == ("", "", 0)


def kept_after(answer):
    """Is what a request wrote still there after this answer?"""
    before = User.objects.count()

    def view(request):
        User.objects.create(username=f"written-{before}", role=Role.MAKER)
        return answer(request)

    ScopeMiddleware(view)(request_of(AnonymousUser()))
    return User.objects.count() > before


@pytest.mark.django_db
class TestTransaction:
    def test_an_answer_keeps_what_was_written(self):
        assert kept_after(lambda request: HttpResponse())
        assert kept_after(lambda request: HttpResponse(status=404))

    def test_a_server_error_undoes_it(self):
        assert not kept_after(lambda request: HttpResponse(status=500))

    def test_a_failed_page_undoes_it_even_if_answered_politely(self):
        def answer(request):
            ScopeMiddleware(lambda _: HttpResponse()).process_exception(request, Http404())
            return HttpResponse(status=404)

        assert not kept_after(answer)


class TestLanguage:
    @pytest.mark.parametrize(
        ("cookie", "language"),
        [
            ("", "zh-hans"),
            ("en", "en"),
            ("zh-hans", "zh-hans"),
            ("fr", "zh-hans"),
            ("\0", "zh-hans"),
        ],
    )
    def test_the_cookie_alone_decides(self, cookie, language):
        request = RequestFactory().get("/", headers={"accept-language": "en-US,en"})
        request.COOKIES["django_language"] = cookie

        response = LanguageMiddleware(lambda _: HttpResponse(translation.get_language()))(request)

        assert response.content.decode() == language
        assert response.headers["Content-Language"] == language
        assert translation.get_language() == "zh-hans"


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_read_before_the_transaction_begins(monkeypatch):
    upload = SimpleUploadedFile("还本.csv", b"a,b\n")
    request = RequestFactory().post("/", {"file": upload})
    request.user = AnonymousUser()
    parse, seen = request.parse_file_upload, []

    def parse_and_tell(*arguments):
        seen.append(connection.in_atomic_block)
        return parse(*arguments)

    monkeypatch.setattr(request, "parse_file_upload", parse_and_tell)
    answer = ScopeMiddleware(lambda r: HttpResponse(r.FILES["file"].read()))(request)
    assert (seen, answer.content) == ([False], b"a,b\n")


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["multipart", "form", "unknown_length"])
def test_a_stranger_sends_no_more_than_signing_in_takes(client, kind, monkeypatch):
    parsed = []
    monkeypatch.setattr(HttpRequest, "parse_file_upload", lambda *_: parsed.append(1))
    large = "x" * (65 << 10)
    sent = {
        "multipart": {"data": {"file": SimpleUploadedFile("a.csv", large.encode())}},
        "form": {"data": large, "content_type": "application/x-www-form-urlencoded"},
        "unknown_length": {"data": "", "content_type": "text/plain", "CONTENT_LENGTH": "many"},
    }[kind]
    answer = client.post("/admin/login/", **sent)
    assert (answer.status_code, parsed) == (413, [])
    assert "请先登录再上传" in answer.content.decode()
    monkeypatch.undo()
    assert client.post("/admin/login/", {"username": "x", "password": "y"}).status_code == 200


@pytest.mark.django_db
def test_who_is_signed_in_may_send_files():
    bank = rows.institutions()[rows.BANK]
    user = User.objects.create_user(
        username="zhang", role=Role.MAKER, institution=bank, is_staff=True
    )
    sent = {"file": SimpleUploadedFile("a.csv", b"x" * (65 << 10))}
    answer = client_of(user).post(address("loans.fileimport", "import"), sent)
    assert answer.status_code == 200
    assert "控制总数" in answer.content.decode()
