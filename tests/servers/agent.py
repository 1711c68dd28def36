"""An agent that speaks A2A: it says what it was told, in capitals. Listens on a free port of loopback and prints
`ready PORT`. A message that says `fail` fails."""

import asyncio
import socket

import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.apps import A2AStarletteApplication
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentSkill, Part, TextPart
from a2a.utils import new_task


class Loud(AgentExecutor):
    async def execute(self, context, queue):
        task = context.current_task or new_task(context.message)
        await queue.enqueue_event(task)
        updater = TaskUpdater(queue, task.id, task.context_id)
        await updater.start_work()
        text = context.get_user_input()
        await updater.add_artifact([Part(root=TextPart(text=text.upper()))], name="loud")
        await (updater.failed() if text == "fail" else updater.complete())

    async def cancel(self, context, queue):
        raise NotImplementedError


listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
card = AgentCard(
    name="Loud",
    description="Says it louder",
    url=f"http://127.0.0.1:{port}/",
    version="1.0.0",
    capabilities=AgentCapabilities(streaming=True),
    default_input_modes=["text"],
    default_output_modes=["text"],
    skills=[AgentSkill(id="loud", name="Loud", description="Says it louder", tags=[])],
)
handler = DefaultRequestHandler(agent_executor=Loud(), task_store=InMemoryTaskStore())
app = A2AStarletteApplication(agent_card=card, http_handler=handler).build()
print(f"ready {port}", flush=True)
server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
asyncio.run(server.serve(sockets=[listener]))
