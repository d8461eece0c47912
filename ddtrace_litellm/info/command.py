"""The subcommand ``info``."""

import argparse
import json
import os

from ddtrace_litellm.info import checks
from ddtrace_litellm.info.facts import gather
from ddtrace_litellm.info.render import show
from ddtrace_litellm.info.report import as_json


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--json", action="store_true", help="write everything as JSON to standard output")
    parser.add_argument(
        "--import",
        dest="modules",
        metavar="MODULE",
        action="append",
        default=[],
        help="import this module of your program too, because it may register callbacks; can be given more than once",
    )
    parser.add_argument("--proxy-config", metavar="FILE", help="check this configuration of a LiteLLM Proxy too")


def run(arguments: argparse.Namespace) -> int:
    """Find out, and show it; return 1 where something is wrong."""
    facts = gather(os.environ, arguments.modules, arguments.proxy_config)
    if arguments.json:
        print(json.dumps(as_json(facts), indent=2))
    else:
        show(facts)
    return 1 if checks.problems(facts) else 0
