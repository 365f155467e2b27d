"""The whole client on trio alone, with no driver and no anyio. Requests block threads, for which trio waits."""

import math
import os

import trio
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.trio.client import connect

import listenkey
from listenkey import actions, inputs


class Client:
    """The events of one account in the channel `events`, while `run` runs."""

    def __init__(self, venue, api_key, api_secret, rest_url=None, ws_url=None, **policy):
        parts, self.policy = listenkey.family(venue), listenkey.Policy(**policy)
        self.connection = listenkey.Connection(parts.dialect(venue), self.policy)
        account = {"api_key": api_key, "api_secret": api_secret, "secrets": self.connection.secrets}
        self.venue = parts.services(parts.hosts(venue, rest_url, ws_url), policy=self.policy, **account)
        self.http = listenkey.BlockingHttp()
        self.executor = listenkey.ThreadExecutor(self.http, listenkey.SystemClock())
        self.delivered, self.events = trio.open_memory_channel(math.inf)
        self.unsent, self.woken = {}, trio.Event()

    async def run(self):
        async with self.delivered, trio.open_nursery() as self.tasks:
            self.feed(inputs.Start())
            while not self.connection.finished:
                self.woken = trio.Event()
                with trio.move_on_at(self.connection.deadline):
                    await self.woken.wait()
                if self.connection.deadline <= trio.current_time():
                    self.feed(inputs.Tick())
        self.http.close()

    def feed(self, received):
        for action in self.connection.handle(received, now=trio.current_time()):
            self.do(action)
        self.woken.set()  # the deadline may be another

    def do(self, action):
        keys, reader, start = self.venue.keys, self.venue.reader, self.tasks.start_soon
        match action:
            case actions.Deliver(event):
                self.delivered.send_nowait(event)
            case actions.CreateKey():
                start(self.ask, keys.create(), lambda grant: action.granted(*grant), action.refused)
            case actions.RenewKey():
                start(self.ask, keys.renew(action.key), action.renewed, action.refused)
            case actions.DeleteKey():
                start(self.ask, keys.delete(action.key), lambda _: action.deleted(), lambda _: action.deleted())
            case actions.ReadAccount():
                start(self.ask, reader.read(action.since, action.orders), action.read, action.refused)
            case actions.OpenSocket():
                self.unsent[action.socket], unsent = trio.open_memory_channel(math.inf)
                start(self.hold, action, unsent)
            case actions.SendFrame(socket, text):
                self.unsent[socket].send_nowait(text)
            case actions.CloseSocket(socket):
                self.unsent[socket].close()

    async def ask(self, service, granted, refused):
        try:
            self.feed(granted(await trio.to_thread.run_sync(self.executor.run, service)))
        except listenkey.RequestRefused as error:
            self.feed(refused(error.refusal))

    async def hold(self, wanted, unsent):
        code = refusal = None
        url, handshake = self.venue.handshake.url(wanted.key), self.venue.handshake
        options = {"max_size": self.policy.max_frame_bytes, "close_timeout": 1, "ping_interval": None}
        try:
            async with connect(url, compression=None, **options) as websocket:
                self.feed(wanted.opened())
                self.tasks.start_soon(self.write, websocket, unsent)
                async for frame in websocket:
                    self.feed(wanted.received(frame))
        except ConnectionClosed as closed:
            code = closed.rcvd and closed.rcvd.code
        except InvalidStatus as error:
            refused = listenkey.HandshakeRefused(error.response.status_code, error.response.body or b"")
            refusal = handshake.refusal(refused)
        except (OSError, InvalidHandshake) as error:
            refusal = handshake.refusal(listenkey.TransportFailed(type(error).__name__))
        self.unsent[wanted.socket].close()
        self.feed(wanted.closed(code, refusal))

    async def write(self, websocket, unsent):
        try:
            async for text in unsent:
                await websocket.send(text)
            await websocket.aclose()
        except ConnectionClosed:
            pass  # its reader says so


async def main():
    client = Client("bingx-swap", os.environ["LISTENKEY_API_KEY"], os.environ["LISTENKEY_API_SECRET"])
    async with trio.open_nursery() as tasks:
        tasks.start_soon(client.run)
        async for event in client.events:
            print(event.to_json().decode())  # client.feed(inputs.Stop()) would end it in order


if __name__ == "__main__":
    trio.run(main)
