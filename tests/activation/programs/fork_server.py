"""A Python process that imports the modules it is given, and forks for each program it reads, one JSON object a line.

Importing LiteLLM, or OpenAI's SDK beneath it, takes seconds. A fork stands where a program stands that has imported
them before ddtrace: everything of ddtrace happens in the fork, with the environment that the program is given.
"""

import gc
import importlib
import json
import os
import signal
import sys
import traceback


def run(program):
    """Run the program in this process, which ends with it, without a shutdown of Python's."""
    signal.alarm(program["seconds"])
    for descriptor, path in enumerate((os.devnull, program["stdout"], program["stderr"])):
        opened = os.open(path, os.O_RDWR)
        os.dup2(opened, descriptor)
    os.environ.update(program["environment"])
    status = 1
    try:
        exec(compile(program["code"], "<program>", "exec"), {"__name__": "__main__"})
        status = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main():
    """Answer each program with its exit status, until the input ends."""
    gc.disable()
    for module in sys.argv[1:]:
        importlib.import_module(module)
    gc.enable()
    gc.freeze()  # or each fork collects, and so copies, all that the imports have made
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


main()
