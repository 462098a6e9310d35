"""What a job logs is kept with it, up to a bound."""

import structlog

from app.logging import Kept, keep_line, keeping_lines


def test_lines_of_a_job_are_kept_and_go_on_into_the_log() -> None:
    log = structlog.wrap_logger(structlog.ReturnLogger(), processors=[keep_line], context_class=dict)
    log.info("before")
    with keeping_lines() as kept:
        assert log.info("found", level="info", timestamp="12:00", count=3)[1]["count"] == 3
    log.info("after")
    assert kept.text == "12:00 info found count=3"


def test_lines_are_kept_up_to_a_bound() -> None:
    kept = Kept()
    for _ in range(100):
        kept.add("x" * 1_000)
    assert 64_000 < len(kept.text) <= 65_536
