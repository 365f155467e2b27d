"""`simulate`: its flags are the exchange's settings, and its credentials are printed unless they were given."""

from __future__ import annotations

import inspect
import io
import json
import re
import socket
import urllib.request
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from aiohttp import web

from listenkey.adapters.cli.flags import FLAGS, settings
from listenkey.adapters.cli.parser import EPILOG, parser
from listenkey.adapters.cli.progress import Progress
from listenkey.adapters.simulator.control import Control
from listenkey.adapters.simulator.faults import FAULTS
from listenkey.adapters.simulator.kinds import FAULTS_OF
from listenkey.adapters.simulator.settings import Settings
from listenkey.adapters.simulator.venue import Venue
from listenkey.adapters.simulator.wire import WireName

from .commands import API_KEY, API_SECRET, Simulate, Start, Typed

NEITHER = {"LISTENKEY_API_KEY": "", "LISTENKEY_API_SECRET": ""}
OTHERS = {"LISTENKEY_API_KEY": "another-key", "LISTENKEY_API_SECRET": "another-secret"}
HALF = OTHERS | {"LISTENKEY_API_KEY": "simulated"}


def chosen(*flags: str) -> dict[str, Any]:
    return settings(parser("0").parse_args(["simulate", *flags]))


def test_each_flag_is_a_setting_and_has_its_default() -> None:
    """Without flags `simulate` makes the same exchange as `Server()` does."""
    defaults = {name: each.default for name, each in inspect.signature(Venue.__init__).parameters.items()}
    settings = chosen()
    settings |= {name: tuple(settings[name]) for name in ("faults", "prices")}
    assert settings == {name: defaults[name] for name in settings}
    assert settings.keys() <= get_type_hints(Settings).keys()


def test_what_is_said_is_what_is_set() -> None:
    """All flags at once make an exchange with these settings."""
    flags = "--seed 3 --time-scale 2 --fills-per-second 4 --fault silent@9 --fault refuse@8 --wire captured --one-way"
    more = (
        "--codes former --credentials a:b --credentials c:d:e --ping-interval 1 --snapshot-interval 5 --key-validity 60"
    )
    most = "--event-name mixed --triggered silent --closed-stops unknown --signed-shorts --account-id 7"
    rest = "--config-interval 5 --limits off --prices btc.csv --prices ETH-USDT=eth.csv"
    settings = chosen(*flags.split(), *more.split(), *most.split(), *rest.split())
    assert settings == {
        "seed": 3,
        "time_scale": 2.0,
        "fills_per_second": 4.0,
        "faults": ["silent@9", "refuse@8"],
        "wire": "captured",
        "event_name": "mixed",
        "triggered": "silent",
        "closed_stops": "unknown",
        "signed_shorts": True,
        "account_id": "7",
        "hedge": False,
        "codes": "former",
        "credentials": {"a": "b", "c": "d:e"},
        "ping_interval": 1.0,
        "snapshot_interval": 5.0,
        "config_interval": 5.0,
        "key_validity": 60.0,
        "rate_limits": False,
        "prices": ["btc.csv", "ETH-USDT=eth.csv"],
    }
    assert {flag.setting for flag in FLAGS} == settings.keys()
    venue = Venue(**settings | {"prices": ()})
    assert venue.credentials == {"a": "b", "c": "d:e", "simulated": "simulated"}
    assert not venue.exchange.hedge
    for wire in get_args(WireName):
        assert chosen("--wire", wire)["wire"] == wire


def test_the_faults_are_listed(typed: Typed) -> None:
    """`--list-faults` prints a line for each fault: its name, its effect, and each parameter with its values."""
    ended = typed("simulate", "--list-faults")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert [line.split()[0] for line in lines] == list(FAULTS)
    for line, kind in zip(lines, FAULTS.values(), strict=True):
        assert re.fullmatch(r"\S+ +[A-Z].*\.", line), line
        for name, parameter in kind.params.items():
            assert f"`{name}`: {parameter.allowed}, by default " in line


def test_prices_of_a_file(start: Start, tmp_path: Path) -> None:
    """The market begins with the first price of the file, and no progress is shown if standard error is no terminal."""
    file = tmp_path / "prices.csv"
    file.write_text("time,price\n1,12345.6\n")
    exchange = Simulate(start("simulate", "--port", "0", "--prices", str(file)))
    url = f"{exchange.rest_url}/openApi/swap/v2/quote/price?symbol=BTC-USDT"
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310
        assert json.load(answer)["data"]["price"] == "12345.6"
    assert exchange.command.end(15).err == ""


def test_input_that_is_wrong(typed: Typed, tmp_path: Path) -> None:
    """Each wrong value ends with one line, exit code 2, and nothing on standard output."""
    bad, there = tmp_path / "bad.csv", tmp_path / "there.csv"
    bad.write_text("1,64000\n2,-5\n")
    there.write_text("1,64000\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for flags, says in (
            (["--prices", str(bad)], f"prices: {bad}, line 2: '-5' is no price above 0"),
            (["--prices", str(tmp_path / "none.csv")], "cannot be read: No such file or directory"),
            (["--prices", f"XRP-USDT={there}"], "XRP-USDT is not one of"),
            (["--fault", "quake@3"], "allowed is NAME@SECONDS with NAME one of refuse, "),
            (["--prices", str(there), "--port", str(port)], f"--port {port} cannot be used: Address already in use"),
        ):
            ended = typed("simulate", *flags)
            assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
            assert says in ended.err


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the progress is one figure in a line that is cleared at the end; elsewhere nothing is shown."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, shown in ((Terminal(), "\r\x1b[Kreading btc.csv: 25 %\r\x1b[K"), (io.StringIO(), "")):
        monkeypatch.setattr("sys.stderr", stream)
        with Progress() as progress:
            progress("btc.csv", 5, 20)
        assert stream.getvalue() == shown


def test_a_switch_that_is_neither(typed: Typed) -> None:
    """`--limits` with a value other than on or off ends with one line and exit code 2."""
    ended = typed("simulate", "--limits", "some")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "listenkey: simulate: argument --limits: 'some': allowed is on or off\n"


def test_the_help_names_all_that_a_bots_test_needs(typed: Typed) -> None:
    """The help names the credentials, the order endpoint and each control path, and its lines for ccxt compile."""
    ended = typed("simulate", "--help")
    assert ended.code == 0
    assert EPILOG in ended.out
    app = web.Application()
    Control(Venue()).add_to(app)
    paths = {str(route.resource.canonical) for route in app.router.routes() if route.resource is not None}
    named = EPILOG.replace("/simulator/truth", "truth").split()
    assert {path.removeprefix("/simulator/") for path in paths} <= set(named)
    compile("\n".join(line.strip() for line in EPILOG.splitlines()[-3:]), "help", "exec")


def test_the_first_line_shows_credentials_that_are_its_own(start: Start) -> None:
    """The first line shows the exchange's default credentials, but not credentials given by the environment."""
    own, given = start("simulate", "--port", "0", **NEITHER), start("simulate", "--port", "0")
    line = json.loads(own.line())
    assert list(line) == ["rest_url", "ws_url", "api_key", "api_secret"]
    assert (line["api_key"], line["api_secret"]) == ("simulated", "simulated")
    assert list(json.loads(given.line())) == ["rest_url", "ws_url"]
    for command in (own, given):
        assert command.end(15).code == 0


def test_whoever_has_other_credentials_learns_where_they_stand(start: Start) -> None:
    """With wrong credentials `watch` ends with code 3 and one line about where the right ones are, with no secret."""
    for variables, message in (
        (NEITHER, "takes its defaults, as its first line says: API key"),
        ({}, "LISTENKEY_API_KEY and LISTENKEY_API_SECRET"),
    ):
        exchange = Simulate(start("simulate", "--port", "0", **variables))
        for refused in [start("watch", *exchange.flags, **others) for others in (OTHERS, HALF)]:
            ended = refused.end()
            assert (ended.code, ended.err.count("\n")) == (3, 1)
            assert message in ended.err
            for secret in (API_KEY, API_SECRET, *OTHERS.values()):
                assert secret not in ended.err
        exchange.command.end(15)


def test_one_more_api_key(start: Start) -> None:
    """A bot may use another API key that `--credentials` gives."""
    exchange = Simulate(start("simulate", "--port", "0", "--credentials", "another-key:another-secret"))
    ended = start("watch", *exchange.flags, "--max-events", "1", **OTHERS).end()
    exchange.command.end(15)
    assert (ended.code, ended.err) == (0, "")


def test_credentials_that_are_not_understood_are_not_shown(typed: Typed) -> None:
    """Malformed credentials end with one line that gives the allowed form and does not show them."""
    for wrong in ("canary", "canary:", ":canary", "can ary:x", "canäry:x"):
        ended = typed("simulate", "--credentials", wrong)
        assert (ended.code, ended.err.count("\n")) == (2, 1)
        assert "KEY:SECRET" in ended.err
        assert "can" not in ended.err.replace("cannot", "")


def test_the_wire_of_another_venue(typed: Typed, start: Start) -> None:
    """`--venue` chooses the path of the sockets, the faults, and the readings of facts that are not verified."""
    flags = ("--venue", "binance-usdm")
    listed = typed("simulate", *flags, "--list-faults")
    assert [line.split()[0] for line in listed.out.splitlines()] == list(FAULTS_OF["binance-usdm"])
    command = start(
        "simulate", *flags, "--port=0", "--reading", "renewal=empty", "--fault", "eventless@0", "--one-way", **NEITHER
    )
    assert json.loads(command.line())["ws_url"].endswith("/private/ws")
    assert command.end(15).code == 0
    refused = {
        ("--reading", "renewal=x"): "argument --reading: reading renewal is 'x'; allowed: key or empty or nothing",
        ("--reading", "renewal"): "argument --reading: allowed is FACT=READING",
        ("--fault", "same_key@1"): "fault 'same_key@1': allowed is NAME@SECONDS with NAME one of refuse",
        ("--wire", "captured"): "wire is no setting of this venue's wire",
    }
    for more, why in refused.items():
        ended = typed("simulate", *flags, *more)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"listenkey: simulate: {why}")
