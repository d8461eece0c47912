"""What Python runs at start where ``ddtrace_litellm_run`` has put this folder on ``PYTHONPATH``.

It does what the ``.pth`` file does, and then what the ``sitecustomize`` does that this one stands in front of.
"""

import os
import sys


def _install() -> None:
    layer = os.path.dirname(_here)  # noqa: PTH120  # pathlib takes 10 ms to import
    site_packages = f"{layer}/python/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    if site_packages not in sys.path:
        sys.path.append(site_packages)
    try:
        import ddtrace_litellm

        ddtrace_litellm.install()
    except Exception:  # noqa: S110  # as in the .pth file: nothing of ours stops a function's start
        pass


def _run_next() -> None:
    own = sys.modules.pop(__name__)
    try:
        __import__(__name__)
    except ModuleNotFoundError as error:
        if error.name != __name__:
            raise
    finally:
        # Python's import system takes it for granted that a module is there when it has been executed.
        sys.modules.setdefault(__name__, own)


_here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
_install()
# Nothing else is here; with it on the path, this file would be its own successor.
sys.path[:] = [entry for entry in sys.path if entry != _here]
_run_next()
