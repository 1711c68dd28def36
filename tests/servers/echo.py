"""A websocket server: it sends what it was sent to all that are connected, and some messages to whoever asks for
`/count` or `/notifications`. Says by which code each connection was closed. Listens on a free port of loopback, over TLS where it is
given the files of a certificate and its key, and prints `ready PORT`, then each message on a line."""

import asyncio
import ssl
import sys

from websockets.asyncio.server import broadcast, serve

connected = set()


async def handle(socket):
    for number in range({"/count": 3, "/notifications": 5}.get(socket.request.path, 0)):
        await socket.send(f'{{"number": {number}}}')
    if socket.request.path == "/huge":
        await socket.send("x" * (5 << 20))
    connected.add(socket)
    try:
        async for message in socket:
            print(f"{socket.request.headers.get('x-kind')} {message}", flush=True)
            broadcast(connected, message)
    finally:
        connected.discard(socket)
        print(f"closed {socket.close_code}", flush=True)


async def main():
    secured = None
    if sys.argv[1:]:
        secured = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        secured.load_cert_chain(*sys.argv[1:])
    async with serve(handle, "127.0.0.1", 0, ssl=secured) as server:
        print(f"ready {server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
