"""Attempts: what a Router call, or a call with ``fallbacks=``, tried before it answered or gave up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MAX_FAILURES = 20
"""Failures kept a call; LiteLLM 1.85 and 1.95 retry a broken sync Router stream some 366 times."""


@dataclass(slots=True)
class Attempts:
    """The tries beneath one call, in order. LiteLLM's own headers count those of the last model group only."""

    total: int = 0
    retries: int = 0
    fallbacks: int = 0
    last_group: str | None = None
    last_error: str | None = None
    failures: list[dict[str, Any]] = field(default_factory=list)

    def begin(self, target: str) -> dict[str, Any]:
        """Count a try at ``target`` (model group, or model); return what its span says about it."""
        self.total += 1
        if self.total > 1:
            if target == self.last_group:
                self.retries += 1
            else:
                self.fallbacks += 1
        self.last_group = target
        described: dict[str, Any] = {"attempt_number": self.total}
        if self.last_error is not None:
            described["previous_attempt_error"] = self.last_error
        return described

    def fail(self, described: dict[str, Any], error: str) -> None:
        """Record that the try ended in ``error``."""
        self.last_error = error
        if len(self.failures) < MAX_FAILURES:
            known = ("attempt_number", "deployment_id", "model_group", "model")
            failure = {name: described[name] for name in known if name in described}
            self.failures.append({**failure, "error": self.last_error})

    def summary(self) -> dict[str, Any]:
        """Return what the enclosing call's span says about its tries."""
        described: dict[str, Any] = {
            "attempts": self.total,
            "attempted_retries": self.retries,
            "attempted_fallbacks": self.fallbacks,
        }
        if self.failures:
            described["failed_attempts"] = self.failures
        return described
