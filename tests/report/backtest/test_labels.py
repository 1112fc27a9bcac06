"""Names beside points: none on another, none on a point, none over the edge."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.report.backtest.labels import Named, Spot, place
from costopt.report.heatmap.canvas import Box

ROOM = Box(100, 200, 800, 500)
NEAR_CORNERS = st.sampled_from((100.0, 104.0, 500.0, 899.0))
X = NEAR_CORNERS | st.floats(100, 900)
Y = st.sampled_from((200.0, 205.0, 420.0, 700.0)) | st.floats(200, 700)
NAMED = st.builds(
    Named, st.builds(Spot, X, Y), st.sampled_from((6.0, 9.0)), st.floats(20, 190), st.just(19.0)
)


def overlap(a: Box, b: Box) -> bool:
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


@given(st.lists(NAMED, max_size=30))
@settings(max_examples=40)
def test_names_are_apart_and_inside(named: list[Named]) -> None:
    labels = place(named, ROOM)
    assert len(labels) == len(named)
    for one, other in combinations(labels, 2):
        assert not overlap(one.box, other.box)
    for label in labels:
        assert label.box.left >= ROOM.left
        assert label.box.right <= ROOM.right
        assert label.box.top >= ROOM.top
        assert label.box.bottom <= ROOM.bottom
        for point in named:
            x, y, r = *point.at, point.radius
            assert not overlap(label.box, Box(x - r, y - r, 2 * r, 2 * r))
    assert place(named, ROOM) == labels


def test_a_lonely_point_has_its_name_at_its_right() -> None:
    (label,) = place([Named(Spot(400, 400), 6, 80, 20)], ROOM)
    assert label.box == Box(411, 390, 80, 20)
    assert label.leader is None


def test_at_the_right_edge_the_name_goes_left() -> None:
    (label,) = place([Named(Spot(880, 400), 6, 80, 20)], ROOM)
    assert label.box.right == pytest.approx(869)


def test_a_name_that_stands_apart_has_a_line_to_its_point() -> None:
    crowd = [Named(Spot(500, 400), 6, 120, 20) for _ in range(8)]
    labels = place(crowd, ROOM)
    far = [label for label in labels if label.leader]
    assert far
    for label in far:
        assert label.leader is not None
        start, end = label.leader
        assert (start.x - 500) ** 2 + (start.y - 400) ** 2 == pytest.approx(49)
        on_edge_x = label.box.left <= end.x <= label.box.right
        assert on_edge_x
        assert label.box.top <= end.y <= label.box.bottom


def test_the_first_names_keep_their_places_whoever_comes() -> None:
    ours = [Named(Spot(400, 400), 11, 80, 24), Named(Spot(470, 405), 11, 60, 24)]
    crowd = [Named(Spot(380 + 9 * n, 400 + n), 6, 120, 20) for n in range(12)]
    alone = place([*ours, *crowd], ROOM, first=2)
    turned = place([*ours, *reversed(crowd)], ROOM, first=2)
    assert alone[:2] == turned[:2]


def test_a_name_steps_off_a_line() -> None:
    along = (Spot(100, 400), Spot(900, 400))
    (label,) = place([Named(Spot(400, 400), 6, 80, 20)], ROOM, [along])
    assert not label.box.top < 400 < label.box.bottom


def test_a_name_keeps_away_from_another_point() -> None:
    one = Named(Spot(400, 400), 6, 80, 20)
    other = Named(Spot(400 + 6 + 5 + 80 + 9 + 1, 400), 6, 80, 20)  # just beyond the usual place
    first, _ = place([one, other], ROOM)
    assert first.box.left < 400


def test_no_room_is_said() -> None:
    with pytest.raises(ValueError, match="no room for a name"):
        place([Named(Spot(10, 10), 6, 80, 20)], Box(0, 0, 60, 60))
