"""A real agent on loopback that speaks A2A, of the ``a2a`` package that is installed (1.1 and later)."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from tests import asgi_server

NAME = "Weather Agent"


class Agent:
    """An agent that echoes a message, in parts where the caller streams; ``headers`` are those of the last request."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.loop: asyncio.AbstractEventLoop | None = None
        self.url = ""

    def app(self) -> Any:
        """Return its web application."""
        from a2a.server.request_handlers import DefaultRequestHandler
        from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes
        from a2a.server.tasks import InMemoryTaskStore
        from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill
        from starlette.applications import Starlette

        skill = AgentSkill(id="echo", name="Echo", description="Echoes.", tags=["echo"])
        card = AgentCard(
            name=NAME,
            description="Says what it was told.",
            version="1",
            default_input_modes=["text/plain"],
            default_output_modes=["text/plain"],
            capabilities=AgentCapabilities(streaming=True),
            supported_interfaces=[AgentInterface(url=self.url, protocol_binding="JSONRPC", protocol_version="1.0")],
            skills=[skill],
        )
        handler = DefaultRequestHandler(agent_executor=_executor(self), task_store=InMemoryTaskStore(), agent_card=card)
        return Starlette(routes=[*create_agent_card_routes(card), *create_jsonrpc_routes(handler, "/")])


def _executor(agent: Agent) -> Any:
    from a2a.helpers import (
        new_task_from_user_message,
        new_text_artifact_update_event,
        new_text_message,
        new_text_status_update_event,
    )
    from a2a.server.agent_execution import AgentExecutor
    from a2a.types import Role, TaskState

    class Echo(AgentExecutor):
        async def execute(self, context: Any, event_queue: Any) -> None:
            agent.loop = asyncio.get_running_loop()
            agent.headers = dict(context.call_context.state.get("headers", {}))
            asked = context.get_user_input()
            if asked == "wait":
                await asyncio.sleep(30)
            if not asked.startswith(("task", "fail")):
                await event_queue.enqueue_event(new_text_message(f"Heard: {asked}", role=Role.ROLE_AGENT))
                return
            task = new_task_from_user_message(context.message)
            await event_queue.enqueue_event(task)
            ids = {"task_id": task.id, "context_id": task.context_id}
            if asked.startswith("task"):
                for text, append in (("Heard: ", False), (asked, True)):
                    event = new_text_artifact_update_event(
                        name="answer", text=text, artifact_id="a", append=append, **ids
                    )
                    await event_queue.enqueue_event(event)
            state = TaskState.TASK_STATE_COMPLETED if asked.startswith("task") else TaskState.TASK_STATE_FAILED
            await event_queue.enqueue_event(new_text_status_update_event(state=state, text="It is over.", **ids))

        async def cancel(self, context: Any, event_queue: Any) -> None:
            raise NotImplementedError

    return Echo()


@contextmanager
def a2a_agent() -> Iterator[Agent]:
    """Serve an agent; yield it, with its URL."""
    pytest.importorskip("a2a.server.routes", reason="needs the A2A SDK: pip install a2a-sdk[http-server]")
    agent = Agent()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        agent.url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server = uvicorn.Server(uvicorn.Config(agent.app(), log_level="error", ws="none"))
        thread = asgi_server.start(server, listening)
        try:
            yield agent
        finally:
            server.should_exit = True
            server.force_exit = True
            thread.join(2)
            if thread.is_alive() and agent.loop is not None:
                # The SDK's task of a request that was broken off is not to be cancelled (1.3).
                agent.loop.call_soon_threadsafe(agent.loop.stop)
                thread.join(5)
