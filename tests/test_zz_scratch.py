import litellm, openai
from tests.builtin_defects.conftest import *
def test_x(recorder, ask, provider, monkeypatch):
    print("ZZ", getattr(openai,"_datadog_patch",None), openai.__version__)
    import openai as o
    o.OpenAI(base_url=ask["api_base"], api_key="k").chat.completions.create(model="m", messages=MESSAGES)
    print("ZZ", [s.name for s in recorder.finished])
    litellm.completion(model="o3-mini", **ask)
    print("ZZ", [s.name for s in recorder.finished], provider.requests[-1].headers)
