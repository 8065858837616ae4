"""Institutions are numbered so that a subtree is a range, for ever."""

from dataclasses import replace

import pytest
from django.contrib.auth import get_user_model
from hypothesis import given
from hypothesis import strategies as st

from config.kernel import selectors
from config.kernel.models import Institution
from config.kernel.services import institutions as service
from config.kernel.services.institutions import (
    InstitutionRow,
    InstitutionsRefused,
    register_institutions,
)
from tests.integration import rows

pytestmark = pytest.mark.django_db


def row(code: str, parent: str = "", name: str = "机构") -> InstitutionRow:
    return InstitutionRow(code, name, "branch", parent, "320000")


def stored() -> list[tuple[object, ...]]:
    return list(Institution.objects.order_by("id").values_list())


def refusal(given_rows: list[InstitutionRow]) -> list[tuple[int, str, str]]:
    """What is blamed, after proving that nothing was saved."""
    before = stored()
    with pytest.raises(InstitutionsRefused) as refused:
        register_institutions(rows=given_rows)
    assert stored() == before
    return [(p.index, p.column, p.message.split(" / ")[1]) for p in refused.value.problems]


def test_numbers_are_spaced_by_depth() -> None:
    chain = [row(f"D{depth}", f"D{depth - 1}" if depth else "") for depth in range(5)]
    registered = register_institutions(rows=[*chain, row("E"), row("D1b", "D0")])
    root = 2**48
    assert registered.ids == {
        "D0": root,
        "D1": root + 2**32,
        "D2": root + 2**32 + 2**18,
        "D3": root + 2**32 + 2**18 + 2**6,
        "D4": root + 2**32 + 2**18 + 2**6 + 1,
        "E": 2 * root,
        "D1b": root + 2 * 2**32,
    }
    assert (registered.inserted, registered.corrected) == (7, 0)
    last = dict(Institution.objects.values_list("code", "last_id"))
    assert last["D0"] == 2 * root - 1
    assert last["D1"] == root + 2 * 2**32 - 1
    assert last["D4"] == registered.ids["D4"]


def test_parents_may_come_later_in_the_same_file() -> None:
    registered = register_institutions(rows=[row("C", "B"), row("B", "A"), row("A")])
    assert registered.ids == {"A": 2**48, "B": 2**48 + 2**32, "C": 2**48 + 2**32 + 2**18}


def test_the_same_rows_again_change_nothing() -> None:
    rows.institutions()
    before = stored()
    registered = register_institutions(rows=rows.TREE)
    assert (registered.inserted, registered.corrected) == (0, 0)
    assert registered.ids == {
        code: pk for pk, code in Institution.objects.values_list("id", "code")
    }
    assert stored() == before


def test_other_fields_are_corrected_and_the_number_stays() -> None:
    old = rows.institutions()[rows.NANJING]
    registered = register_institutions(
        rows=[replace(rows.TREE[1], name="新名", region_code="320102")]
    )
    assert (registered.inserted, registered.corrected) == (0, 1)
    new = Institution.objects.get(code=rows.NANJING)
    assert (new.id, new.last_id, new.parent_id) == (old.id, old.last_id, old.parent_id)
    assert (new.name, new.region_code) == ("新名", "320102")


def test_later_files_go_on_counting() -> None:
    register_institutions(rows=[row("A"), row("A1", "A")])
    registered = register_institutions(rows=[row("B"), row("A2", "A"), row("A11", "A1")])
    assert registered.ids == {
        "B": 2 * 2**48,
        "A2": 2**48 + 2 * 2**32,
        "A11": 2**48 + 2**32 + 2**18,
    }


def test_an_unknown_parent_is_refused() -> None:
    assert refusal([row("A"), row("B", "X"), row("C", "B")]) == [
        (1, "parent_code", "unknown parent institution")
    ]


def test_circles_are_refused() -> None:
    assert refusal([row("A"), row("B", "C"), row("C", "B"), row("D", "D")]) == [
        (1, "parent_code", "parents form a circle"),
        (2, "parent_code", "parents form a circle"),
        (3, "parent_code", "parents form a circle"),
    ]


@pytest.mark.parametrize("parent", ["B", ""])
def test_a_change_of_parent_is_refused(parent: str) -> None:
    register_institutions(rows=[row("A"), row("B"), row("A1", "A")])
    assert refusal([row("A1", parent), row("N")]) == [
        (0, "parent_code", "a parent never changes: transfer the notes instead")
    ]
    assert refusal([row("B", "A")]) == [
        (0, "parent_code", "a parent never changes: transfer the notes instead")
    ]


def test_one_code_with_two_contents_is_refused() -> None:
    assert refusal([row("A"), row("A"), row("A", name="乙")]) == [
        (2, "institution_code", "listed twice, differently")
    ]


def test_a_tree_too_deep_is_refused() -> None:
    chain = [row(f"D{depth}", f"D{depth - 1}" if depth else "") for depth in range(7)]
    assert refusal(chain) == [(5, "parent_code", "tree too deep")]


def test_a_full_parent_is_refused() -> None:
    chain = [row(f"D{depth}", f"D{depth - 1}" if depth else "") for depth in range(4)]
    leaves = [row(f"L{n}", "D3") for n in range(63)]
    registered = register_institutions(rows=chain + leaves)
    assert registered.ids["L62"] == registered.ids["D3"] + 63
    assert refusal([row("L63", "D3")]) == [(0, "parent_code", "no number left below it")]


def test_the_last_root_has_the_highest_number_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ROOTS_MAX", 2)
    registered = register_institutions(rows=[row("A"), row("B")])
    assert registered.ids == {"A": 2**48, "B": 2 * 2**48}
    assert refusal([row("C")]) == [(0, "parent_code", "no number left below it")]
    assert (2**15 - 1) * 2**48 + 2**48 - 1 == 2**63 - 1


@st.composite
def trees(draw: st.DrawFn) -> list[InstitutionRow]:
    """A forest at most five deep, in any order."""
    depths: dict[str, int] = {}
    made = []
    for n in range(draw(st.integers(1, 25))):
        above = [""] + [code for code, depth in depths.items() if depth < 4]
        parent = draw(st.sampled_from(above))
        depths[f"I{n}"] = depths[parent] + 1 if parent else 0
        made.append(row(f"I{n}", parent))
    return draw(st.permutations(made))


@given(forest=trees())
def test_ranges_are_nested_exactly_as_the_tree(forest: list[InstitutionRow]) -> None:
    tree = service._Tree({}, forest)
    tree.number()
    assert tree.problems == []
    assert len(tree.new) == len(forest)
    made = tree.known
    parents = {r.code: r.parent_code for r in forest}
    for code, institution in made.items():
        line = {code}
        above = parents[code]
        while above:
            line.add(above)
            above = parents[above]
        for other, candidate in made.items():
            inside = candidate.id <= institution.id and institution.last_id <= candidate.last_id
            apart = candidate.last_id < institution.id or institution.last_id < candidate.id
            assert inside == (other in line)
            assert apart or inside or institution.id < candidate.id <= institution.last_id


def test_ranges_and_users_are_found_by_name() -> None:
    nanjing = rows.institutions()[rows.NANJING]
    assert selectors.institution_range(rows.NANJING) == (nanjing.id, nanjing.last_id)
    assert selectors.institution_range("nowhere") is None
    assert selectors.institution_ids(frozenset([rows.NANJING, "nowhere"])) == {
        rows.NANJING: nanjing.id
    }
    system = selectors.active_user("system")
    assert system is not None
    assert (system.role, system.institution, system.has_usable_password()) == (
        "administrator",
        None,
        False,
    )
    get_user_model().objects.filter(username="system").update(is_active=False)
    assert selectors.active_user("system") is None
