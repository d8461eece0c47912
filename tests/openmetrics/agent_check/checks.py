"""Our check and the Agent's own, run side by side on the same page."""

import json
from contextlib import contextmanager
from typing import ClassVar

from datadog_checks.base import OpenMetricsBaseCheckV2
from datadog_checks.base.checks import base

from tests.openmetrics import measured
from tests.openmetrics.agent_check.submissions import Aggregator
from tests.openmetrics.servers import Server

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class OfficialCheck(OpenMetricsBaseCheckV2):
    """The Agent's own check: nothing but a map of names and the base class."""

    __NAMESPACE__ = "litellm"
    DEFAULT_METRIC_LIMIT = 0
    NAMES: ClassVar = {}

    def get_default_config(self):
        """Return the map."""
        return {"metrics": [dict(self.NAMES)]}


class OfficialLiteLLMCheck(OfficialCheck):
    """With the map of the Agent's own check of LiteLLM, which is measured."""

    def get_default_config(self):
        """Return the map."""
        return {"metrics": [official_names()]}


def official_names():
    """Return the official map, by family."""
    names = {}
    for row in measured.official():
        if not (family := row["prometheus_name"]):
            continue
        name = row["datadog_name"].removeprefix("litellm.")
        for ending in {"counter": [".count"], "histogram": [".bucket", ".sum", ".count"]}.get(
            row["prometheus_type"], []
        ):
            name = name.removesuffix(ending)
        names[family] = {"name": name, "type": "time_elapsed"} if family == "process_start_time_seconds" else name
    return names


class Run:
    """A check and the Agent around it; each call is one run."""

    def __init__(self, check_class, url, init_config=None, **options):
        instance = {"openmetrics_endpoint": url, **options}
        self.check = check_class("litellm_om", init_config or {}, [instance])
        self.aggregator = Aggregator()
        self.error = ""

    def __call__(self):
        """Run the check and return what Datadog gets; ``error`` is the Agent's text of what went wrong."""
        before, base.aggregator = base.aggregator, self.aggregator
        try:
            result = self.check.run()
        finally:
            base.aggregator = before
        self.error = json.loads(result)[0]["message"] if result else ""
        return self.aggregator.commit()


class Page:
    """A served page that the test changes."""

    def __init__(self):
        self.text, self.content_type, self.status = "", TEXT, 200

    def answer(self, handler):
        """Answer a request for it."""
        handler.reply(self.text.encode(), status=self.status, Content_Type=self.content_type)


@contextmanager
def served():
    """Yield a page, its URL, and the requests for it."""
    page = Page()
    with Server(page.answer) as server:
        yield page, server


def x(value, created=None):
    """Return a page of OpenMetrics with one counter."""
    lines = ["# TYPE litellm_x counter", f"litellm_x_total {value}"]
    return "\n".join([*lines, *([f"litellm_x_created {created}"] if created else []), "# EOF", ""])
