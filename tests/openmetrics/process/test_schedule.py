import pytest

from ddtrace_litellm.openmetrics.process.scraper import LONGEST_BACK_OFF, Schedule


class Clock:
    """Monotonic seconds that the test moves."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """Return a clock at 1000."""
    return Clock()


def waits(schedule, clock, scrapes):
    """Go through scrapes, each with how long it takes and whether it fails; return the waits before and after each."""
    found = []
    for took, failed in scrapes:
        found.append(schedule.wait())
        clock.now += schedule.wait() + took
        schedule.done(took, failed=failed)
    return [*found, schedule.wait()]


def test_the_first_time_is_now(clock):
    """There is no wait before the first page."""
    assert Schedule(15, clock).wait() == 0


def test_no_drift(clock):
    """What a scrape takes comes off the wait behind it."""
    assert waits(Schedule(15, clock), clock, [(2, False), (5, False), (0, False)]) == [0, 13, 10, 15]


def test_times_that_were_missed_are_left_out(clock):
    """A scrape that takes longer than the interval is not made up for: the next comes at the next full step."""
    assert waits(Schedule(15, clock), clock, [(40, False), (1, False)]) == [0, 5, 14]


def test_failures_back_off_up_to_a_minute(clock):
    """The first failure is tried again as usual, then each time after twice as long, up to a minute; then as ever."""
    scrapes = [(0, True)] * 5 + [(0, False)]
    assert waits(Schedule(15, clock), clock, scrapes) == [0, 15, 30, 60, 60, 60, 15]


def test_an_interval_above_the_cap_stays(clock):
    """Where the interval is longer than the longest back-off, failures do not make it shorter, nor longer."""
    interval = 2 * LONGEST_BACK_OFF
    assert waits(Schedule(interval, clock), clock, [(0, True)] * 3) == [0, interval, interval, interval]


def test_many_failures(clock):
    """Days of failures are no overflow."""
    assert waits(Schedule(15, clock), clock, [(0, True)] * 5000)[-1] == LONGEST_BACK_OFF


def test_a_hurry(clock):
    """Near the end the pauses are a tenth of a second, or four times what a scrape takes; never above the interval."""
    schedule = Schedule(15, clock)
    schedule.hurry()
    assert waits(schedule, clock, [(0.001, False), (0.5, False), (9, False)]) == pytest.approx([0, 0.1, 2, 15])


def test_a_hurry_that_was_in_vain(clock):
    """A process that does not end after all is scraped as usual after a minute."""
    schedule = Schedule(15, clock)
    schedule.hurry()
    clock.now += 61
    schedule.done(0, failed=False)
    assert schedule.wait() == pytest.approx(14)
