"""The whole client in plain threads, without an event loop: one owns the core, each request and socket has another."""

import os
import queue
import signal
import threading
import time

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

import listenkey
from listenkey import actions, inputs


class Client:
    """The events of one account in the queue `events`, until `stop`; None is the end, when all has been closed."""

    def __init__(self, venue, api_key, api_secret, rest_url=None, ws_url=None, **policy):
        parts, self.policy = listenkey.family(venue), listenkey.Policy(**policy)
        self.connection = listenkey.Connection(parts.dialect(venue), self.policy)
        account = {"api_key": api_key, "api_secret": api_secret, "secrets": self.connection.secrets}
        self.venue = parts.services(parts.hosts(venue, rest_url, ws_url), policy=self.policy, **account)
        self.http = listenkey.BlockingHttp()
        self.executor = listenkey.ThreadExecutor(self.http, listenkey.SystemClock())
        self.inputs, self.events, self.unsent = queue.SimpleQueue(), queue.SimpleQueue(), {}
        self.inputs.put(inputs.Start())
        start(self.run)

    def stop(self):
        self.inputs.put(inputs.Stop())

    def run(self):
        while not self.connection.finished:
            left = self.connection.deadline - time.monotonic()
            try:
                received = self.inputs.get(timeout=min(max(left, 0.0), 60.0))  # the deadline may be infinite
            except queue.Empty:
                received = inputs.Tick()
            for action in self.connection.handle(received, now=time.monotonic()):
                self.do(action)
        self.http.close()
        self.events.put(None)

    def do(self, action):
        keys, reader = self.venue.keys, self.venue.reader
        match action:
            case actions.Deliver(event):
                self.events.put(event)
            case actions.CreateKey():
                start(self.ask, keys.create(), lambda grant: action.granted(*grant), action.refused)
            case actions.RenewKey():
                start(self.ask, keys.renew(action.key), action.renewed, action.refused)
            case actions.DeleteKey():
                start(self.ask, keys.delete(action.key), lambda _: action.deleted(), lambda _: action.deleted())
            case actions.ReadAccount():
                start(self.ask, reader.read(action.since, action.orders), action.read, action.refused)
            case actions.OpenSocket():
                start(self.hold, action, self.unsent.setdefault(action.socket, queue.SimpleQueue()))
            case actions.SendFrame(socket, text):
                self.unsent[socket].put(text)
            case actions.CloseSocket(socket):
                self.unsent[socket].put(None)

    def ask(self, service, granted, refused):
        try:
            self.inputs.put(granted(self.executor.run(service)))
        except listenkey.RequestRefused as error:
            self.inputs.put(refused(error.refusal))

    def hold(self, wanted, unsent):
        code = refusal = None
        url, handshake = self.venue.handshake.url(wanted.key), self.venue.handshake
        options = {"max_size": self.policy.max_frame_bytes, "close_timeout": 1, "ping_interval": None}
        try:
            with connect(url, compression=None, **options) as websocket:
                self.inputs.put(wanted.opened())
                start(self.write, websocket, unsent)
                for frame in websocket:
                    self.inputs.put(wanted.received(frame))
        except ConnectionClosed as closed:
            code = closed.rcvd and closed.rcvd.code
        except InvalidStatus as error:
            refused = listenkey.HandshakeRefused(error.response.status_code, error.response.body or b"")
            refusal = handshake.refusal(refused)
        except (OSError, InvalidHandshake) as error:
            refusal = handshake.refusal(listenkey.TransportFailed(type(error).__name__))
        unsent.put(None)
        self.inputs.put(wanted.closed(code, refusal))

    def write(self, websocket, unsent):
        try:
            for text in iter(unsent.get, None):
                websocket.send(text)
            websocket.close()
        except ConnectionClosed:
            pass  # its reader says so


def start(work, *details):
    threading.Thread(target=work, args=details, daemon=True).start()


if __name__ == "__main__":
    client = Client("bingx-swap", os.environ["LISTENKEY_API_KEY"], os.environ["LISTENKEY_API_SECRET"])
    signal.signal(signal.SIGINT, lambda *_: client.stop())
    for event in iter(client.events.get, None):
        print(event.to_json().decode())
