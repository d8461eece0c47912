"""The explicit way in, for installs where Python does not read ``.pth`` files: ``import ddtrace_litellm.auto``.

It does what the ``.pth`` file does and nothing else; ddtrace is started as usual (``ddtrace-run``, ``ddtrace.auto``,
``LLMObs.enable()``), before or after. An active built-in integration is replaced.
"""

from ddtrace_litellm import install

install()
