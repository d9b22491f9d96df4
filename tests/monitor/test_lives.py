"""A claim's life: what flaps leaves no trace, and what truly changes makes exactly one move."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.lives import ClaimState, Life, MoveKind, Wording, step

OLD = "our exosome serum regrows hair in twelve weeks"
NEW = "our exosome serum regrows thinning hair within twelve weeks"
OTHER = "the treatment has no side effects whatsoever"


def page(number: int, *quotes: str, category: str = "hair_regrowth") -> dict[int, list[Wording]]:
    return {number: [Wording(number, category, quote) for quote in quotes]}


def play(*readings: dict[int, list[Wording]], gone: tuple[int, ...] = ()) -> tuple[list[Life], list[list[MoveKind]]]:
    lives: list[Life] = []
    kinds = [[move.kind for move in step(lives, reading)] for reading in readings]
    if gone:
        kinds.append([move.kind for move in step(lives, {}, gone)])
    return lives, kinds


def test_a_new_claim_appears_once() -> None:
    _, kinds = play(page(1), page(1, OLD), page(1, OLD))

    assert kinds == [[], [MoveKind.APPEARED], []]


def test_one_reading_without_it_withdraws_nothing() -> None:
    lives, kinds = play(page(1, OLD), page(1))

    assert kinds[1] == []
    assert lives[0].state is ClaimState.MISSING


def test_two_readings_without_it_withdraw_it_once() -> None:
    lives, kinds = play(page(1, OLD), page(1), page(1), page(1))

    assert kinds == [[MoveKind.APPEARED], [], [MoveKind.WITHDRAWN], []]
    assert lives[0].state is ClaimState.WITHDRAWN


def test_what_flaps_makes_no_move() -> None:
    lives, kinds = play(page(1, OLD), page(1), page(1, OLD), page(1), page(1, OLD))

    assert kinds[1:] == [[], [], [], []]
    assert lives[0].state is ClaimState.LIVE


def test_two_variants_of_one_page_make_no_move_between_them() -> None:
    """A/B/A: the same page, served in two wordings in turn."""
    lives, kinds = play(page(1, OLD), page(1, NEW), page(1, OLD), page(1, NEW), page(1, OLD))

    assert kinds == [[MoveKind.APPEARED], [], [], [], []]
    assert [life.folded for life in lives] == [OLD]


def test_a_rewording_is_one_move_after_its_second_reading() -> None:
    lives, kinds = play(page(1, OLD), page(1, NEW), page(1, NEW), page(1, NEW))

    assert kinds == [[MoveKind.APPEARED], [], [MoveKind.REWORDED], []]
    assert [(life.folded, life.state) for life in lives] == [(NEW, ClaimState.LIVE)]


def test_an_unlike_replacement_is_one_claim_gone_and_one_new() -> None:
    _, kinds = play(page(1, OLD), page(1, OTHER), page(1, OTHER))

    assert kinds == [[MoveKind.APPEARED], [MoveKind.APPEARED], [MoveKind.WITHDRAWN]]


def test_a_claim_that_moves_to_another_page_makes_no_move() -> None:
    lives, kinds = play(page(1, OLD) | page(2), page(1) | page(2, OLD), page(1) | page(2, OLD))

    assert kinds[1:] == [[], []]
    assert lives[0].state is ClaimState.LIVE


def test_a_claim_on_two_pages_stands_until_both_lack_it_twice() -> None:
    both, one = page(1, OLD) | page(2, OLD), page(1) | page(2, OLD)
    _, kinds = play(both, one, one, page(1) | page(2), page(1) | page(2))

    assert kinds == [[MoveKind.APPEARED], [], [], [], [MoveKind.WITHDRAWN]]


def test_a_page_that_was_not_read_counts_for_nothing() -> None:
    lives, kinds = play(page(1, OLD), page(2), page(2), page(2))

    assert kinds[1:] == [[], [], []]
    assert lives[0].state is ClaimState.LIVE


def test_a_withdrawn_claim_reappears() -> None:
    _, kinds = play(page(1, OLD), page(1), page(1), page(1, OLD))

    assert kinds[-1] == [MoveKind.REAPPEARED]


def test_a_page_that_is_gone_takes_its_claims_with_it() -> None:
    lives, kinds = play(page(1, OLD), gone=(1,))

    assert kinds[-1] == [MoveKind.WITHDRAWN]
    assert lives[0].is_over


def test_a_rewording_that_is_taken_back_and_kept_beside_is_a_new_claim() -> None:
    _, kinds = play(page(1, OLD), page(1, NEW), page(1, OLD, NEW))

    assert kinds == [[MoveKind.APPEARED], [], [MoveKind.APPEARED]]


def test_a_rewording_on_two_pages_is_settled_by_whichever_is_read_again() -> None:
    """An entry of a catalogue may have no address of its own, so that its page alone can be looked at again."""
    both = page(1, OLD) | page(2, OLD)
    lives, kinds = play(both, page(1, NEW) | page(2, NEW), page(2, NEW), page(1, NEW) | page(2, NEW))

    assert kinds == [[MoveKind.APPEARED], [], [MoveKind.REWORDED], []]
    assert [(life.folded, life.places) for life in lives] == [(NEW, {1: 0, 2: 0})]


def test_a_first_look_at_the_other_page_of_a_rewording_is_no_claim_of_its_own() -> None:
    both = page(1, OLD) | page(2, OLD)
    _, kinds = play(both, page(1, NEW) | page(2), page(2), page(1, NEW))

    assert kinds == [[MoveKind.APPEARED], [], [], [MoveKind.REWORDED]]


QUOTES = st.lists(st.sampled_from([OLD, NEW, OTHER, "hydrates dull skin"]), unique=True)


@given(st.lists(st.tuples(QUOTES, QUOTES), max_size=12))
def test_moves_and_states_agree_whatever_is_read(history: list[tuple[list[str], list[str]]]) -> None:
    """Keys stay unique, no move repeats itself, and the last one told agrees with the state."""
    lives: list[Life] = []
    balance: dict[int, list[MoveKind]] = {}
    for one, two in history:
        for move in step(lives, page(1, *one) | page(2, *two)):
            balance.setdefault(id(move.life), []).append(move.kind)

    assert len({life.key for life in lives}) == len(lives)
    for life in lives:
        told = [kind for kind in balance[id(life)] if kind is not MoveKind.REWORDED]
        assert told[0] is MoveKind.APPEARED
        assert all(
            kind is (MoveKind.WITHDRAWN if turn % 2 else MoveKind.REAPPEARED) for turn, kind in enumerate(told) if turn
        )
        assert (life.state is ClaimState.WITHDRAWN) == (told[-1] is MoveKind.WITHDRAWN)
        assert (life.pending is not None) == (life.state is ClaimState.REWORDING)


@given(QUOTES, QUOTES, st.integers(2, 6))
def test_settled_readings_make_no_more_moves(first: list[str], then: list[str], more: int) -> None:
    lives: list[Life] = []
    step(lives, page(1, *first))
    for _ in range(2):
        step(lives, page(1, *then))

    assert all(step(lives, page(1, *then)) == [] for _ in range(more))
    assert {life.folded for life in lives if life.stands} == set(then)


@given(QUOTES, st.randoms())
def test_order_on_the_page_does_not_matter(quotes: list[str], random: object) -> None:
    lives: list[Life] = []
    step(lives, page(1, *quotes))
    shuffled = sorted(quotes, key=lambda _: random.random())  # type: ignore[attr-defined]

    assert step(lives, page(1, *shuffled)) == []
