"""Two texts of a scheme's terms: every value that differs, with the article of each."""

from pathlib import Path

import pytest

from settlement.engine.terms_diff import Change, changes

SHIPPED = sorted((Path(__file__).parents[3] / "settlement" / "schemes").glob("*.toml"))
OLD = """
code = "test"
priority = { value = 10, article = "一" }
[rate.tiers]
central = { points = "1.5", article = "一(三)" }
[eligible]
sizes = { values = ["micro", "small"], article = "一(一)" }
one_bank = { value = true, assumed_because = "文件未写 / not said" }
[[amount_caps]]
per = "project"
span = "year"
yuan = "100"
article = "二"
[[amount_caps]]
per = "enterprise"
span = "year"
yuan = "200"
article = "二"
"""


def test_the_same_text_has_no_difference() -> None:
    assert changes(OLD, OLD) == []


def test_a_value_is_told_with_both_articles() -> None:
    new = OLD.replace('points = "1.5", article = "一(三)"', 'points = "1.2", article = "三"')
    (found,) = changes(OLD, new)
    assert found == Change("rate.tiers.central", "points = 1.5", "points = 1.2", "一(三)", "三")
    assert found.kind == "value"


def test_an_article_alone_is_a_difference_of_its_own() -> None:
    (found,) = changes(OLD, OLD.replace('value = 10, article = "一"', 'value = 10, article = "四"'))
    assert found == Change("priority", "10", "10", "一", "四")
    assert found.kind == "ground"


def test_what_is_added_and_what_is_gone() -> None:
    new = OLD.replace('one_bank = { value = true, assumed_because = "文件未写 / not said" }\n', "")
    new = new.replace("[eligible]", '[eligible]\ntitles = { values = ["a"], article = "五" }')
    assert changes(OLD, new) == [
        Change("eligible.titles", "", "a", "", "五"),
        Change("eligible.one_bank", "true", "", "文件未写 / not said", ""),
    ]
    assert [one.kind for one in changes(OLD, new)] == ["added", "removed"]


def test_members_of_a_list_are_known_by_what_they_are_about() -> None:
    project = '[[amount_caps]]\nper = "project"\nspan = "year"\nyuan = "100"\narticle = "二"\n'
    assert changes(OLD, OLD.replace(project, "") + project) == []
    (found,) = changes(OLD, OLD.replace('yuan = "200"', 'yuan = "300"'))
    assert found.key == "amount_caps[enterprise year]"
    assert found.before == "per = enterprise, span = year, yuan = 200"
    assert found.after == "per = enterprise, span = year, yuan = 300"


def test_the_same_member_twice_is_numbered() -> None:
    again = '[[amount_caps]]\nper = "project"\nspan = "year"\nyuan = "5"\narticle = "六"\n'
    assert [one.key for one in changes(OLD, OLD + again)] == ["amount_caps[project year #2]"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_value_of_a_shipped_scheme_is_new_beside_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = changes("", text)
    assert {one.kind for one in found} == {"added"}
    assert len({one.key for one in found}) == len(found)
    without = [one.key for one in found if not one.after_ground]
    assert without == ["code", "name_zh", "name_en", "document"]
