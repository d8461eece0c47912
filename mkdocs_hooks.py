"""Lets mkdocs build pages whose links are written for the repository, which is where most people read them."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent


def on_files(files: Files, config: Any) -> None:
    """Add the README as the site's first page."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    # As it would stand in docs/, like every other page.
    readme = re.sub(r"\]\((?!https?://|#)", "](../", readme).replace("](../docs/", "](")
    files.append(File.generated(config, "index.md", content=readme))


def on_page_markdown(markdown: str, page: Page, config: Any, **_: Any) -> str:
    """Let links out of docs/ lead to the repository, and those to the README to the first page."""
    top = "](" + "../" * (page.file.src_uri.count("/") + 1)
    markdown = markdown.replace(f"{top}README.md", f"{top.removesuffix('../')}index.md")
    return markdown.replace(top, f"]({config.repo_url}/blob/main/")
