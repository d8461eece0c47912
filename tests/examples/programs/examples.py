"""Runs the examples of the folder that is named, one after the other."""

import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(sys.argv[1])

for name in ("chat_with_tools.py", "rag.py", "router.py"):
    runpy.run_path(str(FOLDER / name), run_name="__main__")
function = runpy.run_path(str(FOLDER / "aws_lambda" / "function.py"))
print(function["handler"]({"question": "And on Lambda?"}, None)["answer"])
if find_spec("fastapi"):
    from fastapi.testclient import TestClient

    service = runpy.run_path(str(FOLDER / "fastapi_app.py"))
    asked = {"question": "And in a service?", "user": "ada"}
    print(TestClient(service["app"]).get("/ask", params=asked).text)
