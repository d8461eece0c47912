"""The versions that belong together: ddtrace x LiteLLM x Python, sampled.

``riot list`` shows them, ``riot run --python 3.12`` runs those of one Python, ``riot run <hash>`` one of them.
"""

from riot import Venv, latest

TEST_PACKAGES = {
    "anthropic": latest,
    "awslambdaric": latest,
    "build": latest,
    "datadog": latest,
    "datadog-lambda": latest,
    "ddapm-test-agent": latest,
    "editables": latest,
    "hatch-fancy-pypi-readme": latest,
    "hatchling": latest,
    "hypothesis": latest,
    "mcp": latest,
    "prometheus_client": latest,
    "pytest": latest,
    "pytest-asyncio": latest,
    "pytest-xdist": latest,
    "pyyaml": latest,
    "rich": latest,
    "vcrpy": latest,
}

venv = Venv(
    name="ddtrace-litellm",
    command="pytest -n auto --maxprocesses 4 --dist loadscope {cmdargs} tests",
    pkgs=TEST_PACKAGES,
    venvs=[
        # The oldest of both; the oldest ddtrace with newer LiteLLM, and the other way round.
        Venv(pys=["3.10", "3.11"], pkgs={"ddtrace": "~=4.8.0", "litellm": "~=1.72.0"}),
        Venv(pys=["3.10"], pkgs={"ddtrace": "~=4.8.0", "litellm": "~=1.80.0"}),
        Venv(pys=["3.12"], pkgs={"ddtrace": "~=4.8.0", "litellm": "~=1.103.0"}),
        Venv(pys=["3.10"], pkgs={"ddtrace": latest, "litellm": "~=1.72.0"}),
        # In between. LiteLLM 1.95 has wheels for Python 3.12 only.
        Venv(pys=["3.11", "3.13"], pkgs={"ddtrace": "~=4.12.0", "litellm": "~=1.80.0"}),
        Venv(pys=["3.12"], pkgs={"ddtrace": ["~=4.12.0", latest], "litellm": ["~=1.85.0", "~=1.95.0"]}),
        Venv(pys=["3.13"], pkgs={"ddtrace": "~=4.12.0", "litellm": latest}),
        Venv(pys=["3.11"], pkgs={"ddtrace": latest, "litellm": "~=1.103.0"}),
        # The newest of both (1.110 today), and the newest whose proxy installs everywhere, on every Python.
        Venv(
            pys=["3.10", "3.11", "3.12", "3.13"],
            pkgs={"ddtrace": latest},
            venvs=[Venv(pkgs={"litellm": latest}), Venv(pkgs={"litellm[proxy]": "~=1.108.0"})],
        ),
    ],
)
