"""Datadog's own validators of integrations accept ours, laid out as theirs are."""

import json
import os
import shutil
import subprocess
import sys
from importlib.resources import as_file, files

import pytest

pytest.importorskip(
    "ddev", reason="needs Datadog's validators: pip install ddev 'datadog-checks-dev[cli]', Python 3.13"
)

NAME = "litellm"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with the integration as Datadog has them."""
    root = tmp_path_factory.mktemp("integrations")
    integration = root / NAME
    package = integration / "datadog_checks" / NAME
    with as_file(files("ddtrace_litellm")) as source:
        shutil.copytree(source / "openmetrics" / "assets", integration / "assets")
        shutil.copytree(source / "assets" / "dashboards", integration / "assets" / "dashboards")
    with as_file(files("ddtrace_litellm.openmetrics")) as source:
        shutil.copy(source / "data" / "service_checks.json", integration / "assets")
        shutil.copy(source / "data" / "metadata.csv", integration)
        (package / "data").mkdir(parents=True)
        shutil.copy(source / "data" / "conf.yaml.example", package / "data")
    (package / "__about__.py").write_text('__version__ = "1.0.0"\n')
    (integration / "pyproject.toml").write_text('[project]\nname = "datadog-litellm"\ndynamic = ["version"]\n')
    (integration / "manifest.json").write_text(json.dumps(manifest(integration)))
    git = ["git", "-C", root, "-c", "user.name=test", "-c", "user.email=test@example.com"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *command], check=True)
    return root


def manifest(integration):
    """Return the manifest, which names the files."""
    dashboards = sorted((integration / "assets" / "dashboards").glob("*.json"))
    return {
        "manifest_version": "2.0.0",
        "app_uuid": "00000000-0000-4000-8000-000000000000",
        "app_id": NAME,
        "assets": {
            "integration": {
                "source_type_name": "LiteLLM",
                "configuration": {"spec": "assets/configuration/spec.yaml"},
                "metrics": {
                    "prefix": "litellm.",
                    "check": "litellm.process.uptime.seconds",
                    "metadata_path": "metadata.csv",
                },
                "service_checks": {"metadata_path": "assets/service_checks.json"},
            },
            "dashboards": {path.stem: f"assets/dashboards/{path.name}" for path in dashboards},
        },
    }


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("metadata", "Passed: 1"),
        ("service-checks", "1 valid files"),
        ("config", "configuration files are valid"),
        ("dashboards", "2 valid files"),
        ("models", "data model files are in sync"),
    ],
)
def test_validators(repository, tmp_path, what, said):
    """The validator finds nothing wrong, and something that is right."""
    command = [sys.executable, "-m", "ddev", "-x", "--no-interactive", "validate", what, NAME]
    options = {"cwd": repository, "env": {**os.environ, "HOME": str(tmp_path)}, "capture_output": True, "text": True}
    if what == "models":  # made of the spec; the package has none, as it reads the options itself
        subprocess.run([*command, "-s"], **options, check=True)
    done = subprocess.run(command, **options, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert said in done.stdout
