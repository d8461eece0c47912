"""The command ``ddtrace-litellm``: one entry in ``COMMANDS`` for each subcommand."""

import argparse
import json
import os
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from ddtrace_litellm.assets import command as assets
from ddtrace_litellm.aws_lambda import command as lambda_layer
from ddtrace_litellm.info import command as info
from ddtrace_litellm.masking import visible
from ddtrace_litellm.openmetrics import command as scrape
from ddtrace_litellm.tryout import browser
from ddtrace_litellm.tryout.errors import TryoutError
from ddtrace_litellm.tryout.selection import FIELDS, condition, matching
from ddtrace_litellm.tryout.session import Audience, Outcome, tryout
from ddtrace_litellm.versions import __version__

_USAGE_ERROR = 2
_INTERRUPTED = 130


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Attributes:
        name: what the user types.
        summary: one line for the list of subcommands.
        description: what it does, for its own help.
        configure: adds its arguments to its parser.
        run: does it and returns the exit status.
        needs: modules beyond the package's own dependencies; all of them come with the extra ``demo``.
    """

    name: str
    summary: str
    description: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    needs: tuple[str, ...] = ()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments, those of the process by default.

    Returns:
        The exit status: 2 for a wrong command line or a missing package, 130 after Ctrl-C, else the subcommand's.
    """
    parser = argparse.ArgumentParser(prog="ddtrace-litellm", description="Datadog LLM Observability for LiteLLM.")
    parser.add_argument("--version", action="version", version=f"ddtrace-litellm {__version__}")
    subparsers = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        subparser = subparsers.add_parser(
            command.name,
            help=command.summary,
            description=command.description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.configure(subparser)
        subparser.set_defaults(chosen=command)
    arguments = parser.parse_args(argv)
    chosen: Command = arguments.chosen
    absent = [name for name in chosen.needs if find_spec(name) is None]
    if absent:
        names = " and ".join(absent)
        return _complain(f"{chosen.name} needs {names}: pip install 'ddtrace-litellm[demo]'", _USAGE_ERROR)
    try:
        return chosen.run(arguments)
    except TryoutError as error:
        return _complain(str(error), error.status)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _configure_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--full", action="store_true", help="show everything that was said, all metadata, stacks and tags of metrics"
    )
    parser.add_argument(
        "--all", action="store_true", help="show the spans of HTTP clients, frameworks and health checks, too"
    )
    parser.add_argument(
        "--filter",
        metavar="FIELD=TEXT",
        type=condition,
        action="append",
        default=[],
        help=f"show traces with a span that has TEXT in FIELD: {', '.join(FIELDS)}; TEXT alone is text=TEXT; several"
        " have to hold for one span",
    )
    parser.add_argument(
        "--json",
        metavar="FILE",
        help="write traces and metrics as JSON to FILE; - is standard output, where they are the last line",
    )
    parser.add_argument("--html", metavar="FILE", help="write traces and metrics as one web page to FILE")
    parser.add_argument(
        "--ui", action="store_true", help="show what arrives in a web page too, from the start until Ctrl-C at the end"
    )


def _configure_try(parser: argparse.ArgumentParser) -> None:
    _configure_report(parser)
    parser.usage = (
        "%(prog)s [-h] [--full] [--all] [--filter FIELD=TEXT] [--json FILE] [--html FILE] [--ui] -- program ..."
    )
    parser.add_argument(
        "program", nargs=argparse.REMAINDER, metavar="-- program ...", help="the program and its arguments"
    )


def _run_try(arguments: argparse.Namespace) -> int:
    program: list[str] = arguments.program
    if program[:1] == ["--"]:
        program = program[1:]
    if not program:
        raise TryoutError("no program given: ddtrace-litellm try -- python app.py", _USAGE_ERROR)

    def report(outcome: Outcome) -> None:
        _report(outcome, arguments)
        _explain_silence(outcome, program[0])

    return tryout(program, _audience(arguments, report)).status


def _audience(arguments: argparse.Namespace, report: Callable[[Outcome], None]) -> Audience:
    """Return who is told what a tryout does: the user, who may look at a page meanwhile."""
    if not arguments.ui:
        return Audience(report)

    def opened(url: str) -> None:
        print(f"ddtrace-litellm: what arrives is shown at {url}", file=sys.stderr)
        browser.show(url, os.environ)

    def finished(outcome: Outcome) -> None:
        report(outcome)
        print("ddtrace-litellm: the web page stays until Ctrl-C", file=sys.stderr)

    return Audience(finished, opened)


def _explain_silence(outcome: Outcome, program: str) -> None:
    if outcome.traces:
        return
    if outcome.status:
        why = f"The program ended before any call, with exit status {outcome.status}"
    else:
        why = f"Is {program} from an environment with ddtrace and ddtrace-litellm, and did the program call LiteLLM?"
    print(f"ddtrace-litellm: no traces arrived. {why}", file=sys.stderr)


def _run_demo(arguments: argparse.Namespace) -> int:
    from ddtrace_litellm.demo.run import demo, problems

    found: list[str] = []

    def report(outcome: Outcome) -> None:
        _report(outcome, arguments)
        found.extend(problems(outcome))
        for problem in found:
            print(f"missing: {visible(problem)}", file=sys.stderr)
        if not found:
            print("everything arrived", file=sys.stderr)

    demo(_audience(arguments, report))
    return 1 if found else 0


def _report(outcome: Outcome, arguments: argparse.Namespace) -> None:
    """Show what arrived on standard error, so that standard output stays the program's, and write the files."""
    from rich.console import Console

    from ddtrace_litellm.tryout.render import render
    from ddtrace_litellm.tryout.render_metrics import render_metrics
    from ddtrace_litellm.tryout.report import as_json

    console = Console(stderr=True, highlight=False)
    shown = matching(outcome.traces, arguments.filter)
    render(console, shown, full=arguments.full, everything=arguments.all)
    if len(shown) < len(outcome.traces):
        print(f"--filter shows {len(shown)} of {len(outcome.traces)} traces", file=sys.stderr)
    render_metrics(console, outcome.metrics, full=arguments.full)
    if arguments.html is not None:
        from ddtrace_litellm.tryout.viewer.page import report

        _write(arguments.html, report(outcome.traces, outcome.metrics, outcome.status))
    if arguments.json is None:
        return
    text = json.dumps(as_json(outcome.traces, outcome.status, outcome.metrics))
    if arguments.json == "-":
        print(text)
    else:
        _write(arguments.json, text + "\n")


def _write(path: str, text: str) -> None:
    try:
        _write_private(path, text)
    except OSError as error:
        raise TryoutError(f"cannot write the report to {path}: {error.strerror}") from error


def _write_private(path: str, text: str) -> None:
    """Write what may hold prompts into a file that is this user's alone, and not where a link leads.

    Raises:
        OSError: it cannot be.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as opened:
        if sys.platform != "win32" and stat.S_ISREG(os.fstat(file).st_mode):
            os.fchmod(file, 0o600)  # one that was there before
            os.ftruncate(file, 0)
        opened.write(text)


def _complain(message: str, status: int) -> int:
    print(f"ddtrace-litellm: {visible(message)}", file=sys.stderr)
    return status


COMMANDS: tuple[Command, ...] = (
    Command(
        "try",
        "run a program and show what Datadog would receive",
        "Run a program under ddtrace-run against a local test agent, then show the traces and LiteLLM's metrics that\n"
        "arrived. Nothing leaves this machine but what the program itself sends. The exit status is the program's.\n\n"
        "  ddtrace-litellm try -- python app.py",
        _configure_try,
        _run_try,
        needs=("rich", "ddapm_test_agent"),
    ),
    Command(
        "demo",
        "watch a small LiteLLM app: no keys, no network",
        "Run a small LiteLLM app against a provider on this machine and show its traces. The exit status is 0\n"
        "if everything arrived that should.",
        _configure_report,
        _run_demo,
        needs=("rich", "ddapm_test_agent", "litellm"),
    ),
    Command(
        "info",
        "say whether LiteLLM is traced here, and if not, why",
        "Start Python under ddtrace-run with the variables that are set now, and show which integration is active,\n"
        "where its spans go, and whether anything answers there. Nothing is sent, and no key is shown. The exit\n"
        "status is 1 when something is wrong; each problem comes with what to do.\n\n"
        "  DD_LLMOBS_ENABLED=1 DD_LLMOBS_ML_APP=my-app ddtrace-litellm info",
        info.configure,
        info.run,
    ),
    Command(
        "scrape",
        "show what Datadog would get of the LiteLLM Proxy's metrics",
        "Read the metrics page of a LiteLLM Proxy and show what Datadog would get of it: names, types, values, tags.\n"
        "Nothing is sent. The exit status is 1 when the first page cannot be read.\n\n"
        "  ddtrace-litellm scrape http://localhost:4000/metrics --token-file key.txt",
        scrape.configure,
        scrape.run,
        needs=("rich", "urllib3"),
    ),
    Command(
        "assets",
        "write dashboards and monitors to import into Datadog",
        "Write Datadog dashboards and monitors as JSON, each as its import dialog and its API take it, and a file for\n"
        "Terraform that imports them all.\n\n"
        "  ddtrace-litellm assets --to datadog",
        assets.configure,
        assets.run,
    ),
    Command(
        "lambda-layer",
        "build a layer for AWS Lambda",
        "Build a layer for AWS Lambda, for use beside Datadog's own Python and Extension layers. It holds this\n"
        "package and nothing else. The same package gives the same bytes; SOURCE_DATE_EPOCH is honoured.\n\n"
        "  ddtrace-litellm lambda-layer --python 3.12 --arch x86_64 --output layer.zip",
        lambda_layer.configure,
        lambda_layer.run,
    ),
)
