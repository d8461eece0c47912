"""Where this integration cannot work or must not, and what is active then."""

import pytest

from ddtrace_litellm import versions
from tests.activation.cases import BUILT_IN, BUILT_IN_MODULE, NOTHING, OURS, SHOW, SHOW_AND_CALL


def installed(version, directory):
    """Return code that makes ``version`` the version of LiteLLM that is installed, as Python's metadata tells it."""
    information = directory / f"litellm-{version}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: litellm\nVersion: {version}\n")
    return f"import sys; sys.path.insert(0, {str(directory)!r})\n"


MISSING_MODULE = "import sys; sys.modules['ddtrace_litellm._ddtrace'] = None\n"
# A ddtrace that has renamed something; what has imported it before, such as the built-in's own base, still has it.
MISSING_NAME = """
import ddtrace.llmobs, ddtrace.llmobs._integrations.litellm
from ddtrace.llmobs import _constants
del _constants.DISPATCH_ON_LLM_TOOL_CHOICE
"""
# A LiteLLM with an entry point of another kind, which is found out when others are wrapped already.
ODD_ENTRY_POINT = "import litellm; litellm.Router.text_completion = max\n"
QUOTED_KEY = """
import os, sys
os.environ["THEIR_API_KEY"] = "of-no-known-shape"
class Refuses:
    def find_spec(self, name, path=None, target=None):
        if name == "ddtrace_litellm._ddtrace":
            raise ImportError("refused of-no-known-shape, sk-abcdefghijkl, http://user:password@host/")
sys.meta_path.insert(0, Refuses())
"""


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("breakage", "reason"),
    [
        (MISSING_MODULE, "ddtrace_litellm._ddtrace"),
        (MISSING_NAME, "DISPATCH_ON_LLM_TOOL_CHOICE"),
        (ODD_ENTRY_POINT, "no signature found for builtin <built-in function max>"),
    ],
    ids=["missing module", "missing name", "odd entry point"],
)
def test_built_in_stays_active_where_ours_fails(forks, url, breakage, reason):
    """Where ours cannot load or patch, the built-in traces, alone, and one warning says why."""
    shown = forks.run(f"{breakage}import ddtrace.auto{SHOW_AND_CALL}", PROVIDER_URL=url)
    assert shown.result == [BUILT_IN, ["completion"]]
    (warning,) = shown.complaints
    assert "ddtrace-litellm cannot trace LiteLLM here" in warning
    assert reason in warning
    assert "ddtrace's built-in integration stays active" in warning


@pytest.mark.e2e
def test_the_reason_has_no_secrets(forks, url):
    """Others wrote the text of the error: what is a key, or looks like one, is hidden."""
    (warning,) = forks.run(f"{QUOTED_KEY}import ddtrace.auto{SHOW_AND_CALL}", PROVIDER_URL=url).complaints
    assert "(ImportError: refused ***, ***, http://host/)" in warning


@pytest.mark.e2e
def test_unpatch_where_ours_fails(forks):
    """The contrib module's unpatch() removes the built-in where that is what is active."""
    code = f"{MISSING_MODULE}import ddtrace.auto; from {BUILT_IN_MODULE} import unpatch; unpatch()"
    assert forks.run(code + SHOW).result == NOTHING


@pytest.mark.e2e
@pytest.mark.parametrize("version", sorted(versions.MALICIOUS_VERSIONS))
def test_malicious_release(forks, tmp_path, version):
    """With a release that steals credentials neither integration patches, and one error says what to do."""
    shown = forks.run(installed(version, tmp_path) + "import ddtrace.auto" + SHOW)
    assert shown.result == NOTHING
    (error,) = shown.complaints
    assert f"litellm {version} was published with a stolen token and steals credentials" in error
    assert "rotate every secret" in error


@pytest.mark.e2e
def test_old_release(forks, tmp_path):
    """A release older than the oldest that we know is left to the built-in, with one warning."""
    shown = forks.run(installed("1.71.9", tmp_path) + "import ddtrace.auto" + SHOW)
    assert shown.result == BUILT_IN
    (warning,) = shown.complaints
    assert "litellm 1.71.9 is older than 1.72); ddtrace's built-in integration stays active" in warning


@pytest.mark.e2e
def test_unreadable_release(forks, tmp_path):
    """A version that says nothing (a fork's, a checkout's) is traced."""
    shown = forks.run(installed("main", tmp_path) + "import ddtrace.auto" + SHOW)
    assert (shown.result, shown.complaints) == (OURS, [])


@pytest.mark.e2e
def test_health_metrics_without_the_client(forks):
    """Where the client of DogStatsD is not installed, one warning says so, and the program goes on."""
    code = f"import sys; sys.modules['datadog'] = None\nimport ddtrace_litellm; ddtrace_litellm.patch(){SHOW}"
    shown = forks.run(code, DD_LITELLM_HEALTH_METRICS_ENABLED="true")
    assert shown.result == OURS
    (warning,) = shown.complaints
    assert "HEALTH_METRICS" in warning
    assert "nothing is sent" in warning
    assert warning.endswith("pip install datadog")


@pytest.mark.parametrize("version", ["1.82.7", "1.82.8"])
def test_malicious_version_is_refused_in_words(version):
    """The two malicious releases are refused, and the error says that they are."""
    with pytest.raises(versions.UnsupportedVersionError, match=rf"^litellm {version} .* steals credentials") as refused:
        versions.check_version(version)
    assert refused.value.malicious


@pytest.mark.parametrize("version", ["1.71.9", "1.71.9.dev1", "1.9", "0.14.3", "0"])
def test_old_version_is_refused_in_words(version):
    """Releases before the oldest supported one are refused, and compared as numbers."""
    with pytest.raises(versions.UnsupportedVersionError, match=rf"^litellm {version} is older than 1\.72$") as refused:
        versions.check_version(version)
    assert not refused.value.malicious


@pytest.mark.parametrize(
    "version", ["1.72", "1.72.0rc1", "1.82.6", "1.82.9", "1.109.1", "2.0", "1", "", "main", "unknown", "v1.106", "1.x"]
)
def test_other_versions_are_accepted(version):
    """Newer releases, and versions that cannot be read, are accepted."""
    versions.check_version(version)
