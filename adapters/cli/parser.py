"""The flags of the command line; an error is one line that names the flag."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, NoReturn

from ...core.policy import MODES, Policy
from ..simulator.binance.readings import readings
from ..simulator.kinds import FAULTS_OF
from ..venues.registry import SIMULATED, VENUES
from .exits import Exit, Failure
from .figures import count, port, positive, whole
from .flags import FLAGS

_COMMANDS = "demo|watch|simulate|journal|replay|diagram"
LEVELS = ("debug", "info", "warning", "error")
EPILOG = """\
The API key and the secret are LISTENKEY_API_KEY and LISTENKEY_API_SECRET, or "simulated" and "simulated" where neither
is set. The first line of output is JSON: rest_url, ws_url, and api_key and api_secret if they are these defaults.

A bot can place and cancel orders (POST and DELETE /openApi/swap/v2/trade/order). What is not modelled is refused.
Its tests ask GET /simulator/truth what is so, and move things by a POST of JSON to /simulator/ and one of
fault quiet advance trade place fill cancel expire trigger amend liquidate funding transfer leverage margin cross

ccxt in sandbox mode:
  exchange = ccxt.pro.bingx({"apiKey": "simulated", "secret": "simulated", "options": {"defaultType": "swap"}})
  exchange.urls["test"] = dict.fromkeys(exchange.urls["api"], rest_url + "/openApi") | {"ws": {"linear": ws_url}}
  exchange.set_sandbox_mode(True)
"""


class Parser(argparse.ArgumentParser):
    """A parser that raises a `Failure` of one line for wrong usage."""

    def error(self, message: str) -> NoReturn:
        raise Failure(Exit.USAGE, f"{self.prog.partition(' ')[2]}: {message}".removeprefix(": "))


def parser(version: str) -> Parser:
    """Return the parser of all commands and flags; `command` is the chosen one, for `journal` followed by its verb."""
    root = Parser(prog="listenkey", description="Keeps a trader's private account stream alive and whole.")
    root.add_argument("--version", action="version", version=f"listenkey {version}")
    commands = root.add_subparsers(dest="command", metavar=_COMMANDS, required=True, parser_class=Parser)

    def command(name: str, what: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=what, description=what, allow_abbrev=False)

    _demo(command("demo", "a simulated exchange on loopback, faults and all, then a verdict"))
    _watch(command("watch", "the stream of a real account; credentials from the environment"))
    _simulate(command("simulate", "the simulated exchange alone, to test a bot against"))
    _journal(command("journal", "read a journal, check it, or take an order out of it"))
    replay = command("replay", "feed a recording through the core again")
    replay.add_argument("file", metavar="FILE")
    command("diagram", "the state diagram as Mermaid, from the table")
    return root


def _demo(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("--venue", choices=SIMULATED, default="bingx-swap", help="whose wire it speaks")
    demo.add_argument("--json", action="store_true", help="events as lines of JSON, then the verdict")
    demo.add_argument("--seed", type=whole, default=7, metavar="N")
    _level(demo)


def _watch(watch: argparse.ArgumentParser) -> None:
    watch.add_argument("--venue", choices=tuple(VENUES), default="bingx-swap")
    watch.add_argument("--rest-url", metavar="URL", help="in place of the venue's own, with --ws-url")
    watch.add_argument("--ws-url", metavar="URL", help="in place of the venue's own, with --rest-url")
    watch.add_argument("--transport", choices=("aiohttp", "websockets"), default="aiohttp")
    watch.add_argument(
        "--proxy",
        metavar="URL",
        help="http://, https:// or, with the extra socks, socks5://; env takes those of HTTPS_PROXY, HTTP_PROXY and "
        "ALL_PROXY, but for the hosts of NO_PROXY",
    )
    watch.add_argument("--mode", choices=MODES, default="ws")
    watch.add_argument("--json", action="store_true", help="one event a line on standard output")
    watch.add_argument("--journal", metavar="FILE", help="what was delivered survives the process")
    watch.add_argument(
        "--adopt-journal", action="store_true", help="the journal is this account's, though nothing may show it"
    )
    watch.add_argument("--record", metavar="FILE", help="record all inputs and actions of the core, to a new file")
    watch.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        type=_setting,
        default=[],
        dest="settings",
        help="a field of the policy",
    )
    watch.add_argument(
        "--for", metavar="SECONDS", type=positive, default=math.inf, dest="seconds", help="since the process began"
    )
    watch.add_argument("--max-events", metavar="N", type=count, default=None, help="end after so many")
    watch.add_argument("--seed", type=whole, default=None, metavar="N", help="fixes the jitter")
    _level(watch)


def _simulate(simulate: argparse.ArgumentParser) -> None:
    simulate.formatter_class = argparse.RawDescriptionHelpFormatter
    simulate.epilog = EPILOG
    simulate.add_argument("--venue", choices=tuple(FAULTS_OF), default="bingx-swap", help="whose wire it speaks")
    simulate.add_argument(
        "--reading",
        metavar="FACT=READING",
        action="append",
        type=_reading,
        default=[],
        dest="readings",
        help="of a fact of Binance's wire that nobody has verified",
    )
    simulate.add_argument("--list-faults", action="store_true", help="say what can go wrong on it, and end")
    simulate.add_argument("--port", type=port, default=8765, help="0 takes any free one")
    for flag in FLAGS:
        simulate.add_argument(flag.name, dest=flag.setting, **flag.reading)
    _level(simulate)


def _reading(text: str) -> tuple[str, str]:
    fact, equals, reading = text.partition("=")
    try:
        readings({fact: reading})
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error) if equals else "allowed is FACT=READING") from None
    return fact, reading


def _journal(journal: argparse.ArgumentParser) -> None:
    verbs = journal.add_subparsers(dest="verb", metavar="show|verify|forget", required=True, parser_class=Parser)

    def verb(name: str, what: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=what, description=what, allow_abbrev=False)
        made.add_argument("file", metavar="FILE")
        return made

    verb("show", "its events, a line of JSON each")
    verb("verify", "whether it keeps its promises")
    which = verb("forget", "take out an order, or all events, while no stream writes").add_mutually_exclusive_group(
        required=True
    )
    which.add_argument(
        "--order",
        action="append",
        default=[],
        dest="orders",
        metavar="[SYMBOL:]ID",
        help="all events of this order; may be given again",
    )
    which.add_argument(
        "--all", action="store_true", help="all events: the next stream begins anew, as the same account"
    )


def _level(command: argparse.ArgumentParser) -> None:
    command.add_argument("--log-level", choices=LEVELS, default="warning", help="of what goes to standard error")


def policy(settings: Iterable[tuple[str, float]] | Mapping[str, float]) -> Policy:
    """Return the policy with these fields set. Raises `ValueError` if one is not allowed."""
    given: dict[str, Any] = dict(settings)
    return Policy(**given)


def _setting(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    types = {field.name: field.type for field in fields(Policy)}
    if not equals or name not in types:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed is NAME=VALUE with NAME one of {', '.join(types)}")
    try:
        number = float(value)
        chosen: float = int(number) if types[name] in ("int", int) and number.is_integer() else number
        policy({name: chosen})
    except (ValueError, OverflowError) as error:
        why = str(error) if name in str(error) else f"{name} must be a finite number"
        raise argparse.ArgumentTypeError(f"{text!r}: {why}") from None
    return name, chosen
