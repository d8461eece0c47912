"""``python -m ddtrace_litellm`` is ``ddtrace-litellm``."""

import sys

from ddtrace_litellm.cli import main

if __name__ == "__main__":
    sys.exit(main())
