"""The scraper beside LiteLLM's real proxy: what arrives on a real socket."""

import pytest

pytest.register_assert_rewrite("tests.openmetrics.live.truth")
