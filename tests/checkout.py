"""Where the project's own files lie, also when its tests run on the wheel, away from them."""

import os
from pathlib import Path

CHECKOUT = Path(os.environ.get("WHEEL_OF", Path(__file__).parents[1]))
"""``.ci/run`` sets the variable: what is tested then is the wheel that was built of this checkout."""
