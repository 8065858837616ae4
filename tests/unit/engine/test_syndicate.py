"""A syndicate's subsidy is split to the fen, and a compensation's loss too (MF-18, ST-09, ST-10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.engine.compensation import is_stopped, shares
from settlement.engine.syndicate import split

AGENT = 1


@st.composite
def syndicates(draw: st.DrawFn) -> dict[int, int]:
    banks = draw(st.lists(st.integers(1, 9), unique=True, max_size=6))
    found, left = {}, 1_000_000
    for bank in banks:
        found[bank] = draw(st.integers(0, left))
        left -= found[bank]
    return found


@pytest.mark.parametrize(
    ("amount", "shares_ppm", "parts"),
    [
        (100, {1: 400_000, 2: 600_000}, {1: 40, 2: 60}),
        (100, {1: 333_334, 2: 333_333, 3: 333_333}, {1: 34, 2: 33, 3: 33}),
        (-100, {1: 333_334, 2: 333_333, 3: 333_333}, {1: -34, 2: -33, 3: -33}),
        (101, {2: 500_000}, {1: 51, 2: 50}),
        (7, {1: 1_000_000}, {1: 7}),
        (7, {}, {1: 7}),
        (0, {2: 500_000}, {1: 0, 2: 0}),
    ],
)
def test_parts(amount: int, shares_ppm: dict[int, int], parts: dict[int, int]) -> None:
    assert split(amount, shares_ppm=shares_ppm, agent=AGENT) == parts


@given(st.integers(-(10**15), 10**15), syndicates(), st.randoms(use_true_random=False))
def test_parts_add_up_whatever_the_order(amount: int, shares_ppm: dict[int, int], any_) -> None:
    parts = split(amount, shares_ppm=shares_ppm, agent=AGENT)
    assert sum(parts.values()) == amount
    assert all(part * amount >= 0 for part in parts.values())
    for bank, share in shares_ppm.items():
        if bank != AGENT:
            assert 0 <= abs(amount) * share - abs(parts[bank]) * 10**6 < 10**6
    shuffled = list(shares_ppm.items())
    any_.shuffle(shuffled)
    assert split(amount, shares_ppm=dict(shuffled), agent=AGENT) == parts
    taken = split(-amount, shares_ppm=shares_ppm, agent=AGENT)
    assert taken == {bank: -part for bank, part in parts.items()}


@pytest.mark.parametrize(
    ("unpaid", "borne"),
    [(10, (7, 3)), (1, (1, 0)), (5, (4, 1)), (15, (11, 4)), (-15, (-11, -4)), (0, (0, 0))],
)
def test_the_guarantor_bears_seventy_per_cent(unpaid: int, borne: tuple[int, int]) -> None:
    assert shares(unpaid) == borne


@given(st.integers(-(10**15), 10**15))
def test_losses_add_up(unpaid: int) -> None:
    guarantor, bank = shares(unpaid)
    assert guarantor + bank == unpaid
    assert shares(-unpaid) == (-guarantor, -bank)


@pytest.mark.parametrize(
    ("compensated", "stopped"), [(0, False), (3_000, False), (3_001, True), (2_999, False)]
)
def test_compensation_stops_above_three_per_cent(compensated: int, *, stopped: bool) -> None:
    assert is_stopped(compensated_fen=compensated, guaranteed_fen=100_000) is stopped
