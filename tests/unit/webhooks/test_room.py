"""How what a process sends at once is shared among targets."""

from app.webhooks.room import Room


def test_a_target_has_all_it_may_have_while_little_is_under_way() -> None:
    room = Room(500)
    assert room.share() == 32
    room.change(200)
    assert room.share() == 32


def test_the_more_is_under_way_the_fewer_a_target_may_have_and_one_in_any_case() -> None:
    room, shares = Room(500), []
    for _ in range(300):
        shares.append(room.share())
        room.change(shares[-1])
    assert sorted(shares, reverse=True) == shares
    assert sum(shares[:30]) < 500
    assert shares[-1] == 1


def test_what_is_over_leaves_room() -> None:
    room = Room(500)
    room.change(500)
    assert room.share() == 1
    room.change(-500)
    assert room.share() == 32
