"""The README and the pages of docs/ say what the code does, where a test can tell."""

import re
from pathlib import Path

import litellm
import pytest

from ddtrace_litellm.info.variables import OWN
from ddtrace_litellm.targets import FUNCTIONS, ROUTER_ENDPOINTS, ROUTER_METHODS
from ddtrace_litellm.tracing.wrappers import is_traced

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
    """Each variable of the table is shown by ``ddtrace-litellm info``, with the default of the table."""
    text = (DOCS / "configuration.md").read_text()
    listed = dict(re.findall(r"^\| `(DD_LITELLM_\w+)` \| (\S+) \|", text, re.MULTILINE))
    assert listed
    assert {name: default.strip("`").replace("none", "") for name, default in listed.items()}.items() <= OWN.items()


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
