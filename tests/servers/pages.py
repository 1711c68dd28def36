"""httpbin (from PyPI) on a free port of loopback, which it prints: pages behind Basic and Digest."""

from httpbin import app
from werkzeug.serving import make_server

server = make_server("127.0.0.1", 0, app, threaded=True)
print(f"ready {server.server_port}", flush=True)
server.serve_forever()
