"""Refuses to build for a Python that the package does not support."""

import sys
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class SupportedPython(MetadataHookInterface):
    """Says at once which Python is needed: old pips try all versions of what an extra requires before they see it."""

    def update(self, metadata: "dict[str, Any]") -> None:
        if sys.version_info < (3, 10):
            sys.exit(f"{metadata['name']} needs Python {metadata['requires-python']}; this is {sys.version.split()[0]}")
