"""How fast a backlog is worked off."""

import pytest

from app.webhooks.pace import Pace


def test_a_claim_that_takes_little_longer_than_it_could_is_followed_by_the_next() -> None:
    pace = Pace()
    assert [pace.pause(took) for took in (0.004, 0.003, 0.006, 0.003)] == [0, 0, 0, 0]


def test_the_longer_it_takes_the_longer_the_database_is_left_to_others() -> None:
    pace = Pace()
    pace.pause(0.003)
    assert pace.pause(0.010) == pytest.approx(0.072)
    assert pace.pause(0.015) == pytest.approx(0.162)
    assert pace.pause(3) == 0.25
