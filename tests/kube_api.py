"""A Kubernetes API server on loopback that lists the objects of a manifest, and never has news."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import yaml

#: The kinds of which Traefik asks for lists; a list's own kind is made of them.
_KINDS = (
    "IngressRoute", "IngressRouteTCP", "IngressRouteUDP", "TraefikService", "Middleware", "MiddlewareTCP", "TLSOption",
    "TLSStore", "ServersTransport", "ServersTransportTCP", "Service", "EndpointSlice", "Secret", "Node", "ConfigMap",
)  # fmt: skip
_PLURALS = {f"{kind.lower()}s": kind for kind in _KINDS} | {"ingressclasses": "IngressClass"}


@contextlib.contextmanager
def serving(text):
    """Serve the objects of a manifest until the block ends, and yield the server's URL."""
    objects = {}
    for one in yaml.safe_load_all(text):
        one["metadata"].setdefault("namespace", "default")
        objects.setdefault(one["kind"], []).append(one)
    closed = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(objects, closed))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        closed.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(objects, closed):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            parts = urlsplit(self.path)
            asked = parse_qs(parts.query)
            kind = _PLURALS.get(parts.path.rsplit("/", 1)[-1])
            if parts.path == "/version":
                self._answer({"major": "1", "minor": "33", "gitVersion": "v1.33.0"})
            elif "sendInitialEvents" in asked:
                self._answer({"kind": "Status", "status": "Failure", "reason": "Invalid", "code": 422}, 422)
            elif "watch" in asked:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                closed.wait(60)
            elif kind is None:
                self._answer({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}, 404)
            else:
                version = "/".join(parts.path.strip("/").split("/")[1:-1])
                found = {"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": "1"}}
                self._answer({**found, "items": objects.get(kind, [])})

        def _answer(self, data, status=200):
            body = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words):
            """Say nothing."""

    return Handler
