"""One budget of time over many blocking calls."""

from __future__ import annotations

from time import monotonic, perf_counter


class Deadline:
    """A point in time that every blocking call of one probe respects."""

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left, never negative."""
        return max(0.0, self._end - monotonic())

    def wait(self) -> float:
        """Seconds for the next blocking call.

        Raises:
            TimeoutError: nothing is left. (A socket takes a timeout of 0 for "do not block at all".)
        """
        left = self.left
        if left <= 0:
            raise TimeoutError("the time for this probe is over")
        return left

    def at_most(self, seconds: float) -> Deadline:
        """The earlier of this deadline and one in `seconds`."""
        return Deadline(min(self.left, seconds))


class Stopwatch:
    """Milliseconds since it was made."""

    def __init__(self) -> None:
        self._start = perf_counter()

    @property
    def ms(self) -> float:
        """To a hundredth of a millisecond: less is noise."""
        return round((perf_counter() - self._start) * 1000, 2)
