"""The delta engine against a model that knows what really happened."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ddtrace_litellm.openmetrics.pipeline.deltas import Deltas
from tests.openmetrics.pages import added, as_text, broken, counter, gauge, histogram, process


class Proxy(RuleBasedStateMachine):
    """Workers that count, restart, drop series and are read by chance; the truth is what readable totals grew by."""

    capacity, forget_after, exact = 10_000, 1e9, True
    keys = st.sampled_from(["a", "b"])

    @initialize(form=st.sampled_from(["openmetrics", "text", "undated", "shared"]), head_start=st.integers(0, 3))
    def begin(self, form, head_start):
        self.form, self.clock, self.pages_read = form, 1000.0, False
        self.running, self.read, self.kept = [], {}, []
        self.truth, self.sent, self.observed = 0.0, 0.0, 0.0
        self.undated = form in {"undated", "shared"}
        if self.undated:  # nothing tells workers apart then
            self.running.append(self.worker())
        else:
            self.running += [self.worker() for _ in range(3)]
        for _ in range(head_start):
            self.grow(0, "a", 3)
        self.started = self.tick()
        self.deltas = Deltas(self.started, capacity=self.capacity, forget_after=self.forget_after)

    def tick(self):
        self.clock += 1.0
        return self.clock

    def worker(self):
        # Dated workers share the start of their process now and then, as workers that are forked together do.
        now = self.tick()
        return {"start": now if self.undated else now // 4 * 4, "series": {}, "read": False}

    def grow(self, index, key, by):
        series = self.running[index % len(self.running)]["series"]
        now = self.tick()
        series.setdefault(key, [now, 0, 0])
        series[key][1] += by
        series[key][2] += 1

    def page(self, worker):
        samples = gauge(0, pid=str(worker["start"])) if self.form == "shared" else process(worker["start"])
        for key, (created, total, seen) in worker["series"].items():
            samples += counter(total, created=created, k=key)
            samples += histogram({"1": seen // 2, "+Inf": seen}, total, created=created, k=key)
        if self.form == "text":
            return as_text(samples)
        return [s for s in samples if s.suffix != "_created"] if self.undated else samples

    @rule(index=st.integers(0, 2), key=keys, by=st.integers(0, 5))
    def request(self, index, key, by):
        self.grow(index, key, by)

    @rule(index=st.integers(0, 2))
    def restart(self, index):
        self.running[index % len(self.running)] = self.worker()

    @rule(index=st.integers(0, 2), key=keys)
    def drop(self, index, key):
        if self.form != "shared":  # whose files keep what the proxy drops
            self.running[index % len(self.running)]["series"].pop(key, None)
        if self.form == "undated":  # only a page between tells that it is gone
            self.scrape(index)

    @rule(index=st.integers(0, 2))
    def fail(self, index):
        with pytest.raises(ConnectionError):
            self.deltas.read(broken(self.page(self.running[index % len(self.running)])), self.tick())

    @rule(index=st.integers(0, 2))
    def scrape(self, index):
        worker = self.running[index % len(self.running)]
        for series in worker["series"].values():
            created, total, _ = series
            # Undated, a process or a series that is new to a page that is not is known to be new.
            is_ours = (worker["start"] if self.form == "undated" else created) >= self.started
            is_ours = self.pages_read if self.form == "shared" else is_ours or (self.undated and worker["read"])
            self.truth += total - self.read.get(id(series), 0 if is_ours else total)
            self.read[id(series)] = total
            self.kept.append(series)  # so that no other takes its id
        worker["read"], self.pages_read = True, True
        # What an emptied directory owes comes with the page after.
        for _ in range(2 if self.form == "shared" else 1):
            page = self.deltas.read(self.page(worker), self.tick())
            assert all(value > 0 for value in added(page))
            for step in page.histograms:
                assert min(step.observations.count, step.observations.sum, *step.observations.buckets) >= 0
            self.sent += sum(added(page))
            self.observed += sum(step.observations.sum for step in page.histograms)

    @invariant()
    def counts_are_right(self):
        if hasattr(self, "deltas"):
            for sent in (self.sent, self.observed):
                assert sent == self.truth if self.exact else sent <= self.truth


class ForgetfulProxy(Proxy):
    """The same with a memory too small: what is sent may lack, but never exceeds the truth."""

    capacity, forget_after, exact = 1, 5.0, False


TestProxy = Proxy.TestCase
TestProxy.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestForgetfulProxy = ForgetfulProxy.TestCase
TestForgetfulProxy.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
