"""A Binance with plain rows over real sockets: REST, and a stream filtered by key and events."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from listenkey.ports.http import HttpResponse

from ...transports.peer import PING, PONG, TEXT, Peer, Wire
from .venue import Venue


class Server(Venue):
    """A server that pushes to the sockets of the present key; those of a dead key stay open and are answered."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.inboxes: dict[int, tuple[str, str, queue.Queue[str]]] = {}
        self.asked_to_list = 0
        self.lists = True
        self._peer = Peer(self._stream)
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.answer(self)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._peer.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(10)
        self._peer.__exit__(*raised)

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def ws_url(self) -> str:
        return self._peer.url("ws", "/private/ws")

    def ms(self) -> int:
        """Return the host's time as the exchange's."""
        return time.time_ns() // 1_000_000

    def push(self, event: Mapping[str, Any]) -> None:
        """Push an event to all sockets that asked for it with the account's key."""
        with self.lock:
            for key, events, inbox in self.inboxes.values():
                if key == self.key and event["e"] in events.split("/"):
                    inbox.put(json.dumps(event, separators=(",", ":")))

    def answer(self, asked: BaseHTTPRequestHandler) -> None:
        """Answer one REST request."""
        names = {name.upper(): value for name, value in asked.headers.items()}
        named = {name: names[name] for name in ("X-MBX-APIKEY",) if name in names}
        with self.lock:
            found: HttpResponse = self.request(asked.command, f"http://host{asked.path}", headers=named, timeout=1)
        asked.send_response(found.status)
        for name, value in found.headers.items():
            asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(found.body)))
        asked.end_headers()
        asked.wfile.write(found.body)

    def _stream(self, wire: Wire) -> None:
        query = parse_qs(urlsplit(wire.upgrade().split()[1]).query)
        inbox: queue.Queue[str] = queue.Queue()
        with self.lock:
            self.inboxes[id(wire)] = (query["listenKey"][0], query["events"][0], inbox)
        writer = threading.Thread(target=self._write, args=(wire, inbox), daemon=True)
        writer.start()
        try:
            while True:
                opcode, data = wire.read_frame()
                if opcode == TEXT and json.loads(data)["method"] == "LIST_SUBSCRIPTIONS":
                    self.asked_to_list += 1
                    if self.lists:
                        inbox.put(json.dumps({"result": [f"{query['listenKey'][0]}@x"], "id": json.loads(data)["id"]}))
                elif opcode == PING:
                    wire.frame(PONG, data)
                elif opcode not in (PONG, TEXT):
                    wire.frame(opcode, data)
                    return
        except OSError:
            return
        finally:
            with self.lock:
                del self.inboxes[id(wire)]
            inbox.put("")
            writer.join(10)

    @staticmethod
    def _write(wire: Wire, inbox: queue.Queue[str]) -> None:
        while text := inbox.get():
            try:
                wire.frame(TEXT, text.encode())
            except OSError:
                return
