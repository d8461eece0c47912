"""The README and the pages of docs/ say what the code does, where a test can tell."""

import re
from pathlib import Path

import litellm
import pytest

from ddtrace_litellm.extract import metadata, plain, room
from ddtrace_litellm.info.variables import OWN
from ddtrace_litellm.targets import FUNCTIONS, ROUTER_ENDPOINTS, ROUTER_METHODS
from ddtrace_litellm.tracing.wrappers import is_traced
from ddtrace_litellm.versions import NEWEST_TESTED, OLDEST_TESTED

CHECKOUT = Path(__file__).parents[1]
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


def test_readme_is_short():
    """The README is read in a few minutes: the rest is in the pages it names, and it names each of them."""
    readme = (CHECKOUT / "README.md").read_text()
    assert len(readme.encode()) <= 8 * 1024
    assert not [page.name for page in DOCS.glob("*.md") if f"(docs/{page.name})" not in readme]
