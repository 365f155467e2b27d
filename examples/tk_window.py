"""A window of one account: health, positions, last fills. Tk has one thread, the client of `threads.py` has others."""

import os

from threads import Client

import listenkey
from listenkey import actions

EVERY = 100  # milliseconds between two looks at the queue
AT_ONCE = 200  # events in one look: the window stays alive however many there are
FILLS = 12


class Account:
    """The account as the window shows it, by the events that were delivered."""

    def __init__(self):
        self.health, self.gaps, self.nets = "BLIND", 0, False
        self.positions, self.fills = {}, {}

    def take(self, event):
        match event:
            case listenkey.HealthChange():
                self.health = event.health.value
            case listenkey.GapNotice(kind="GAP_OPENED"):
                self.gaps += 1
            case listenkey.Fill():
                self.nets = event.position_side is None  # one-way mode: a symbol has one position
                self.fills[event.event_id] = event
                self.fills = dict(list(self.fills.items())[-FILLS:])
            case listenkey.FillRevised() if event.replaces in self.fills:
                self.fills[event.replaces] = event
            case listenkey.AccountUpdate():
                self.hold(event)

    def hold(self, update):
        kept = () if update.complete else self.positions.values()
        rows = {(each.symbol, None if self.nets else each.side): each for each in (*kept, *update.positions)}
        self.positions = {key: each for key, each in rows.items() if each.qty}


class Watched(Client):
    """The client, and the refusal that ended it, if one did."""

    error = None

    def do(self, action):
        if isinstance(action, actions.Finish):
            self.error = action.error
        super().do(action)


class Window:
    """Looks at the client's queue from the loop of `root`, and calls `show` with the account."""

    def __init__(self, root, client, show):
        self.root, self.client, self.show = root, client, show
        self.account, self.closing, self.ended = Account(), False, False
        root.protocol("WM_DELETE_WINDOW", self.close)
        root.after(0, self.look)

    def look(self):
        for _ in range(min(AT_ONCE, self.client.events.qsize())):
            self.take(self.client.events.get())
        self.show(self.account)
        if not self.ended:
            self.root.after(EVERY, self.look)
        elif self.closing:
            self.root.destroy()

    def take(self, event):
        if event is not None:
            self.account.take(event)
        else:  # the window stays and says why, unless it is being closed
            error, self.ended = self.client.error, True
            self.account.health = f"ended: {error.message or error.code}" if error else "ended"

    def close(self):
        """The window goes once sockets are closed and the key is deleted; a second time it goes at once."""
        if self.ended or self.closing:
            self.root.destroy()
        self.closing = True
        self.client.stop()


def text_of(account):
    lines = [f"{account.health}, {account.gaps} gaps so far", ""]
    lines += [f"{each.symbol:12} {each.side or '':6} {each.qty.normalize():f}" for each in account.positions.values()]
    lines += [""]
    for each in reversed(account.fills.values()):
        lines.append(f"{each.symbol:12} {each.side:6} {each.fill_qty.normalize():f} at {each.fill_price}")
    return "\n".join(lines)


def opened(client):
    """A window with a text, and its loop."""
    import tkinter

    root = tkinter.Tk()
    text = tkinter.Text(root, width=72, height=24, font="TkFixedFont")
    text.pack(fill="both", expand=True)
    root.title("listenkey")
    return Window(root, client, lambda account: text.replace("1.0", "end", text_of(account)))


if __name__ == "__main__":
    opened(Watched("bingx-swap", os.environ["LISTENKEY_API_KEY"], os.environ["LISTENKEY_API_SECRET"])).root.mainloop()
