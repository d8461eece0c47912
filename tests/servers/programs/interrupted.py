"""A stream in whose midst the program forks, and streams that are open when it ends.

Parent and child read the first to its end; one of each kind is left after a chunk. At the very end each process
prints as JSON what it has read and what this package has counted.
"""

import asyncio
import atexit
import json
import os
import sys
import time

read = {"pid": os.getpid()}


def end():
    """Print, after everybody else has ended."""
    from ddtrace_litellm.telemetry import snapshot

    print(json.dumps({**read, "ended": time.time(), **snapshot().as_dict()}), flush=True)


atexit.register(end)
import litellm  # noqa: E402  # what it and ddtrace register runs before

ASKED = {
    "messages": [{"role": "user", "content": "Hello"}],
    "api_base": f"{os.environ['PROVIDER_URL']}/v1",
    "api_key": "sk-local",
}


def text(chunks):
    """Return what chunks say."""
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


# No socket, which the two would share, each with a part of the answer.
forked = litellm.completion("openai/forked", **ASKED, mock_response="One, two, three.", stream=True)
first = next(forked)
child = os.fork()
read["said"] = text([first, *forked])
if not child:
    read["child"] = True
    sys.exit()
os.waitpid(child, 0)

left = litellm.completion("openai/left", **ASKED, stream=True)
next(left)


async def leave():
    """Return a stream that is not read to its end."""
    stream = await litellm.acompletion("openai/aleft", **ASKED, stream=True)
    await anext(stream)
    return stream


loop = asyncio.new_event_loop()
aleft = loop.run_until_complete(leave())
