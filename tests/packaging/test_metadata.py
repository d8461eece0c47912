"""What a package index shows of the package, and what pip reads."""

import re
import zipfile
from email import message_from_bytes

import pytest

from tests.checkout import CHECKOUT


@pytest.fixture(scope="module")
def metadata(built):
    """The core metadata of the wheel."""
    with zipfile.ZipFile(built.wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        return message_from_bytes(archive.read(name))


def requirements(metadata, extra):
    """Return the requirements of an extra, without the mark that says so."""
    pattern = re.compile(rf"(.+?) ?; (?:(.+) and )?extra == '{extra}'")
    return {match.groups() for line in metadata.get_all("Requires-Dist") if (match := pattern.fullmatch(line))}


def test_urls(metadata):
    """Source, documentation, issues and changelog are there, all beneath the address that mkdocs has, too."""
    urls = dict(line.split(", ") for line in metadata.get_all("Project-URL"))
    assert set(urls) == {"Source", "Documentation", "Issues", "Changelog"}
    assert all(url.startswith(urls["Source"]) for url in urls.values())
    assert f"\nrepo_url: {urls['Source']}\n" in (CHECKOUT / "mkdocs.yml").read_text()


def test_links_work_outside_the_repository(metadata):
    """Each link and image of the description is an address, beneath the source's where it is a file of the project."""
    readme = (CHECKOUT / "README.md").read_text()
    source = dict(line.split(", ") for line in metadata.get_all("Project-URL"))["Source"]
    targets = dict(zip(_targets(readme), _targets(metadata.get_payload(decode=True).decode()), strict=True))
    relative = {written: target for written, target in targets.items() if not written.startswith(("https://", "#"))}
    assert relative
    for written, target in relative.items():
        kind = "raw" if written.endswith(".png") else "blob"
        assert target == f"{source}/{kind}/main/{written}"
        assert (CHECKOUT / written.partition("#")[0]).exists()
    assert all(target == written for written, target in targets.items() if written not in relative)


def _targets(text):
    return re.findall(r"\]\(([^)\s]+)", text)


def test_no_extra_names_this_package(metadata):
    """Where an extra names the package and that cannot be installed, old pips search all versions of everything."""
    assert not [line for line in metadata.get_all("Requires-Dist") if line.startswith("ddtrace-litellm")]


def test_extras_agree(metadata):
    """What the extras have in common they require alike, and ``test`` has all of the others."""
    extras = {name: requirements(metadata, name) for name in metadata.get_all("Provides-Extra")}
    assert extras["litellm"] < extras["demo"]
    assert extras["demo"] | extras["openmetrics"] < extras["test"]


def test_extras_are_documented(metadata):
    """The documentation has what each extra brings, but for the one of the tests."""
    text = (CHECKOUT / "docs" / "install.md").read_text()
    documented = {
        name: set(brings.split(", ")) for name, brings in re.findall(r"^\| `(\w+)` \| (.+?) \|", text, re.MULTILINE)
    }
    extras = {
        name: {re.match(r"[\w-]+", requirement)[0] for requirement, _ in requirements(metadata, name)}
        for name in metadata.get_all("Provides-Extra")
    }
    assert {**documented, "test": extras["test"]} == extras
