"""What the folders of tests share: made-up fleets, faults to inject, runs for reports, secrets to plant.

`tests` is on the path of the tests (`pythonpath` in pyproject.toml) and of the benchmarks, so that anybody writes
`from support.fleets.world import World`.
"""

from datetime import UTC, datetime

NOW = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
"""When all made-up surveys were taken."""
