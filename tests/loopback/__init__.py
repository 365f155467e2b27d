"""The whole library over real sockets on the loopback interface, against the simulated exchange and its faults."""

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in ("harness", "scenarios")))
