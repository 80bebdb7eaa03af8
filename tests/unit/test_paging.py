"""How pages in the order of time are cut."""

import pytest

from csms_platform.state.paging import Positions, ceiling, cursor, cut, first_after, moment, position, position_at
from csms_platform.state.rules import place, taken_apart

NAMES = ["1", "a b", "Zürich\n😀", "", "12:EM-A0000001:x"]


def test_text_order_is_the_order_of_time_whatever_the_names_are() -> None:
    positions = [position(milliseconds, name) for milliseconds in (0, 9, 10, 1_790_000_000_000) for name in NAMES]

    assert [where[:15] for where in sorted(positions)] == [where[:15] for where in positions]


@pytest.mark.parametrize(("milliseconds", "nearest"), [(-1, "0" * 15), (10**15, "9" * 15), (10**40, "9" * 15)])
def test_a_time_that_does_not_fit_counts_as_the_nearest(milliseconds: int, nearest: str) -> None:
    assert moment(milliseconds) == nearest


@pytest.mark.parametrize("name", NAMES)
def test_a_cursor_is_a_position_that_may_stand_in_a_url(name: str) -> None:
    where = position(1_790_000_000_000, name)

    assert position_at(cursor(where)) == where
    assert set(cursor(where)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize("text", ["", "x", "Ü", "A===", "MTIz", cursor("x" * 20), "gICA", "a b", "\ud800"])
def test_other_text_is_not_a_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="is not a cursor that an earlier page came with"):
        position_at(text)


def test_a_page_begins_before_the_earlier_of_a_time_and_a_cursor() -> None:
    after = cursor(position(500, "a"))

    assert [ceiling(None, ""), ceiling(700, ""), ceiling(None, after), ceiling(700, after), ceiling(400, after)] == [
        None,
        moment(700),
        position(500, "a"),
        position(500, "a"),
        moment(400),
    ]


def test_a_page_that_leaves_something_out_has_a_cursor() -> None:
    found = [position(n, "") for n in range(3)]

    assert cut(found, 2) == (found[:2], cursor(found[1]))
    assert cut(found, 3) == (found, "")
    assert cut([], 3) == ([], "")


def test_names_follow_in_byte_order() -> None:
    names = ["b", "Ü", "a", "😀", "\uffff", "B"]

    assert first_after(names, "", 10) == sorted(names, key=str.encode)
    assert first_after(names, "a", 2) == ["b", "Ü"]


def test_positions_are_cut_from_either_end() -> None:
    positions = Positions(["c", "a"])
    for where in ("b", "e", "d"):
        positions.add(where)
    positions.discard("e")
    positions.discard("bb")

    assert positions.before(None, "", 10) == ["d", "c", "b", "a"]
    assert positions.before("d", "b", 10) == ["c", "b"]
    assert positions.before("d", "", 2) == ["c", "b"]
    assert positions.before("a", "b", 2) == []
    assert [positions.after("", 2), positions.after("b", 2), positions.after("bb", 9)] == [
        ["a", "b"],
        ["c", "d"],
        ["c", "d"],
    ]


@pytest.mark.parametrize("identity", ["EM-A0000001", "a:b", "7:7", "Zürich 😀", ""])
@pytest.mark.parametrize("name", ["1", "b:c", "", "3:abc:1"])
def test_a_place_is_taken_apart_into_what_it_was_made_of(identity: str, name: str) -> None:
    assert taken_apart(place(identity, name)) == (identity, name)
