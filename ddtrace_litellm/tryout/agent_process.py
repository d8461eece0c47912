"""The process of the ddapm-test-agent: runs it until standard input ends.

The parent holds the other end of that pipe and writes nothing to it. However the parent ends, even by SIGKILL, the
pipe ends with it, and so does the agent: nothing can stay behind.
"""

import os
import sys
from threading import Thread
from typing import Any


def main() -> None:
    """Run the agent with this process's arguments."""
    Thread(target=_exit_with_parent, daemon=True).start()
    from ddapm_test_agent.agent import main as agent_main

    _answer_here_only()
    agent_main(sys.argv[1:])


def _answer_here_only() -> None:
    from aiohttp import web

    from ddtrace_litellm.tryout.loopback import here_only

    # The agent has no option for it, and takes no application that is made elsewhere.
    make = web.AppRunner.__init__

    def make_for_here(runner: Any, app: Any, **options: Any) -> None:
        app.middlewares.insert(0, here_only)
        make(runner, app, **options)

    web.AppRunner.__init__ = make_for_here  # type: ignore[method-assign,assignment]


def _exit_with_parent() -> None:
    # os.read, because a thread that sits in the buffered reader makes Python abort when the agent ends by itself.
    while os.read(sys.stdin.fileno(), 1):
        pass
    # The agent's own shutdown waits for open connections; there is nothing to lose in it.
    os._exit(0)


if __name__ == "__main__":
    main()
