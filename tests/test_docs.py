"""The README and the pages of docs/ say what the code does, where a test can tell."""

import importlib
import json
import re
import shlex
import textwrap
from dataclasses import replace
from importlib.metadata import version
from itertools import dropwhile
from pathlib import Path

import litellm
import pytest

import ddtrace_litellm
from ddtrace_litellm import cli
from ddtrace_litellm.extract import metadata, plain, room
from ddtrace_litellm.info.variables import DDTRACE, OWN
from ddtrace_litellm.targets import AGENTS, FUNCTIONS, ROUTER_ENDPOINTS, ROUTER_METHODS
from ddtrace_litellm.tracing.wrappers import is_traced
from ddtrace_litellm.versions import NEWEST_TESTED, OLDEST_TESTED
from tests.checkout import CHECKOUT

ROOT = Path(ddtrace_litellm.__file__).parent
DOCS = CHECKOUT / "docs"
PAGES = [*CHECKOUT.glob("*.md"), *DOCS.rglob("*.md")]
ROWS = [
    [set(re.findall(r"`(\w+)`", cell)) for cell in line.strip("|").split("|")[1:]]
    for line in (DOCS / "tracing.md").read_text().splitlines()
    if re.search(r"\| `(llm|embedding|retrieval|workflow)` \|$", line)
]


def test_table_lists_every_traced_function():
    """The functions of the table are those that are wrapped, with the kind of their spans."""
    listed = {(name, *kind) for functions, _, kind in ROWS for name in functions}
    assert listed == {(target.resource, target.api.kind) for target in FUNCTIONS if not target.name.startswith("_")}


def test_table_lists_every_traced_method_of_the_router():
    """Its methods are the class's and those that its factory makes in some version."""
    methods = {target.name for target in ROUTER_METHODS}
    listed = {name for _, names, _ in ROWS for name in names}
    assert methods <= listed
    assert listed - methods <= {target.name for target in ROUTER_ENDPOINTS}


@pytest.mark.usefixtures("apm_recorder")
def test_table_lists_what_the_installed_router_has():
    """Whatever is traced on a Router of this LiteLLM is in the table."""
    router = litellm.Router(model_list=[{"model_name": "group", "litellm_params": {"model": "mistral/m"}}])
    candidates = {
        prefix + (target.called or target.name) for target in (*FUNCTIONS, *ROUTER_METHODS) for prefix in ("", "a")
    }
    traced = {name for name in candidates if is_traced(getattr(router, name, None))}
    assert traced
    assert traced <= {name for _, names, _ in ROWS for name in names}


def test_variables_are_those_that_info_knows():
    """The table has each variable that ``ddtrace-litellm info`` shows, with its default, and no other."""
    text = (DOCS / "configuration.md").read_text()
    listed = dict(re.findall(r"^\| `(DD_LITELLM_\w+)` \| (\S+) \|", text, re.MULTILINE))
    assert {name: default.strip("`").replace("none", "") for name, default in listed.items()} == OWN


def test_agents_are_documented():
    """Each function of LiteLLM's agents and tool loops is in the page about them."""
    text = (DOCS / "tools-and-agents.md").read_text()
    functions = {target.name for target in AGENTS if not target.called}  # what has another name in Datadog is internal
    assert functions <= set(re.findall(r"`(\w+)`", text))


def test_limits_are_those_of_the_code():
    """Each limit of the table is the one that holds, in the order of the table."""
    limits = (DOCS / "tracing.md").read_text().partition("## Limits")[2].partition("\n## ")[0]
    counts = [plain.MAX_ITEMS // 2, plain.MAX_ITEMS, plain.MAX_TOOLS // 2, plain.MAX_TOOLS, plain.MAX_VALUES]
    sizes = [size / 1e6 for size in (room.EVENT_BYTES, room.ATTACHED_TO_EVENT, room.ATTACHED_TO_TRACE)]
    texts = [plain.MAX_TAG_CHARS, metadata.MAX_REQUEST_TAGS, metadata.MAX_TAG_CHARS]
    expected = [*(f"{count:,}" for count in counts), *(f"{size:g} MB" for size in sizes), *(f"{n:,}" for n in texts)]
    assert re.search(r".*?\b".join(map(re.escape, expected)), limits, re.DOTALL)


def test_compatibility_is_what_runs():
    """The versions are those that are pinned for CI, and the ranges those that the package itself knows."""
    text = (DOCS / "compatibility.md").read_text()
    pinned = {
        tuple(re.search(rf"^{name}==(\S+)", versions.read_text(), re.MULTILINE)[1] for name in ("ddtrace", "litellm"))
        for versions in (CHECKOUT / ".ci" / "versions").glob("*.txt")
        if versions.stem not in {"agent", "build", "docs"}
    }
    assert set(re.findall(r"^\| ([\d.]+) \| ([\d.]+) \|", text, re.MULTILINE)) == pinned
    oldest, newest = (
        {name: f"{major}.{minor}" for name, (major, minor) in v.items()} for v in (OLDEST_TESTED, NEWEST_TESTED)
    )
    assert f"| Python | {oldest['python']} to {newest['python']} |" in text
    for name in ("ddtrace", "LiteLLM"):
        assert f"| {name} | {oldest[name.lower()]} and later; tested to {newest[name.lower()]}" in text


def _blocks(language):
    """Return each fenced block of a language, by page and number."""
    for page in PAGES:
        found = re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL)
        for number, block in enumerate(found, 1):
            yield pytest.param(textwrap.dedent(block), id=f"{page.relative_to(CHECKOUT)}-{number}")


@pytest.mark.parametrize("block", list(_blocks("sh")))
def test_commands_are_understood(block, monkeypatch):
    """Each command line of ours in the documentation has a subcommand and options that there are."""
    quiet = tuple(replace(command, run=lambda _arguments: 0, needs=()) for command in cli.COMMANDS)
    monkeypatch.setattr(cli, "COMMANDS", quiet)
    for line in block.replace("\\\n", " ").splitlines():
        words = list(dropwhile(re.compile(r"\w+=").match, shlex.split(line, comments=True)))
        if words and words[0].endswith("ddtrace-litellm"):
            assert cli.main(words[1:]) == 0


@pytest.mark.parametrize("block", list(_blocks("python")))
def test_python_runs(block):
    """Each piece of Python does; what an Agent brings is not here."""
    code = compile(block, "documentation", "exec")
    if "openmetrics.check" in block:
        pytest.importorskip("datadog_checks.base", reason="the Agent's packages are not here")
    exec(code, {})


@pytest.mark.parametrize("block", list(_blocks("yaml")))
def test_yaml_is_yaml(block):
    """Each piece of YAML can be read, and so can JSON within it."""
    yaml = pytest.importorskip("yaml")
    found = yaml.safe_load(block)
    for value in (found.get("metadata") or {}).get("annotations", {}).values():
        assert json.loads(value)


@pytest.mark.parametrize(
    ("command", "page"),
    [
        ("try", "viewer.md"),
        ("demo", "viewer.md"),
        ("info", "troubleshooting.md"),
        ("scrape", "proxy-metrics.md"),
        ("assets", "dashboards.md"),
        ("lambda-layer", "install.md"),
    ],
)
def test_options_are_documented(command, page, capsys):
    """Each option that a command's help has is in the page about it."""
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    options = set(re.findall(r"^ +(?:-\w, )?(--[\w-]+)", capsys.readouterr().out, re.MULTILINE)) - {"--help"}
    assert options
    assert options <= set(re.findall(r"--[\w-]+", (DOCS / page).read_text()))


# Of the Agent, of datadog-lambda, and what the documentation's own commands set.
_OTHERS = {"DD_APM_ENABLED", "DD_DOGSTATSD_NON_LOCAL_TRAFFIC", "DD_LAMBDA_HANDLER", "DD_APP_KEY", "DD_DD_URL"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_variables_exist(page):
    """Each variable that a page names is one of this package, of ddtrace or of the Agent."""
    if tuple(map(int, version("ddtrace").split(".")[:2])) < NEWEST_TESTED["ddtrace"]:
        pytest.skip("the variables are those of the newest ddtrace")
    supported = importlib.import_module("ddtrace.internal.settings._supported_configurations")
    known = {*OWN, *DDTRACE, *supported.SUPPORTED_CONFIGURATIONS, *_OTHERS}
    named = set(re.findall(r"\b_?DD_[A-Z][A-Z_]+[A-Z]\b", page.read_text()))
    assert not named - known


def _anchors(page):
    """Return the anchors that GitHub and mkdocs make of a page's headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_lead_somewhere(page):
    """Each link of a page that is no address names a file of the project, and a heading of it."""
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            assert anchor in _anchors(linked), target


def test_architecture_names_what_there_is():
    """Each file and folder in the tables is there, and each of the package is in the first one."""
    tables = re.findall(
        r"^\| .*? \| what \|\n\|---\|---\|\n((?:\|.*\n)+)", (DOCS / "architecture.md").read_text(), re.MULTILINE
    )
    folders = [ROOT, ROOT / "tracing", ROOT / "openmetrics"]
    named = [
        re.findall(r"`([\w/]+(?:/|\.py))`", re.sub(r"^(\|.*?\|).*$", r"\1", table, flags=re.MULTILINE))
        for table in tables
    ]
    for folder, names in zip(folders, named, strict=True):
        assert not [name for name in names if not (folder / name).exists()]
    there = {path.name + "/" * path.is_dir() for path in ROOT.iterdir() if not path.name.startswith("__")}
    assert there - set(named[0]) == {"auto.py", "cli.py", "config.py", "masking.py", "py.typed", "versions.py"}


def test_readme_is_short():
    """The README is read in a few minutes: the rest is in the pages it names, and it names each of them."""
    readme = (CHECKOUT / "README.md").read_text()
    assert len(readme.encode()) <= 8 * 1024
    assert not [page.name for page in DOCS.glob("*.md") if f"(docs/{page.name})" not in readme]
