"""A gRPC service: greeter.proto. Listens on a free port of loopback and prints `ready PORT`."""

import os
import sys
from concurrent import futures

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import grpc

messages, services = grpc.protos_and_services("greeter.proto")


class Greeter(services.GreeterServicer):
    def SayHello(self, hello, context):
        metadata = dict(context.invocation_metadata())
        kept = ("authorization", "idempotency-key")
        seen = [f"{name}={metadata[name]}" for name in kept if name in metadata]
        if context.time_remaining() is not None:
            seen.append("deadline")
        if hello.HasField("at"):
            seen.append(hello.at.ToJsonString())
        return messages.Greeting(text=f"Hello, {hello.name}!", seen=seen, place={"city": "Ulm"})

    def Watch(self, hello, context):
        for number in range(hello.times):
            yield messages.Greeting(text=f"{hello.name} {number}")

    def Gather(self, hellos, context):
        return messages.Greeting(text=", ".join(hello.name for hello in hellos))

    def Chat(self, hellos, context):
        for hello in hellos:
            yield messages.Greeting(text=f"Hello, {hello.name}!")

    def Fail(self, hello, context):
        context.abort(getattr(grpc.StatusCode, hello.name), "as asked: ü")

    def Forever(self, hello, context):
        while context.is_active():
            yield messages.Greeting(text="x" * 65536)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
services.add_GreeterServicer_to_server(Greeter(), server)
if sys.argv[1:]:
    certificate, key = (open(path, "rb").read() for path in sys.argv[1:])
    credentials = grpc.ssl_server_credentials([(key, certificate)])
    port = server.add_secure_port("127.0.0.1:0", credentials)
else:
    port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"ready {port}", flush=True)
server.wait_for_termination()
