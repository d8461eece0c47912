"""Keeps the programs that tests start from full collections of garbage, a third of what LiteLLM's import and end cost.

Each of them walks all that the import has made, 380,000 objects. Young objects are collected as ever, so what a program
drops ends when it always does. ``ddtrace-run`` has a ``sitecustomize`` of its own, which runs this one.
"""

import atexit
import gc

gc.set_threshold(*gc.get_threshold()[:2], 1000)  # which no test's program reaches
atexit.register(gc.freeze)  # the first that is registered runs last, and the end of Python has nothing left to walk
