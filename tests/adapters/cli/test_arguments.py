"""A wrong command line ends with exit code 2 and one line that names the mistake and the allowed values."""

from __future__ import annotations

from pathlib import Path

import pytest

from listenkey.core.link.lifecycle import mermaid

from .commands import API_KEY, API_SECRET, Start, Typed

WRONG = [
    ("", "demo|watch|simulate|journal|replay|diagram"),
    ("dance", "'dance'"),
    ("watch --bogus", "--bogus"),
    ("watch --venue nyse", "bingx-swap-vst"),
    ("watch --transport pigeon", "websockets"),
    ("watch --mode push", "poll"),
    ("watch --for 0", "--for"),
    ("watch --for inf", "a finite number above 0"),
    ("watch --max-events 0", "a whole number from 1"),
    ("watch --seed x", "--seed"),
    ("watch --set drain", "NAME=VALUE"),
    ("watch --set colour=1", "silence_timeout"),
    ("watch --set drain=soon", "drain must be a finite number"),
    ("watch --set drain=nan", "drain must be a number"),
    ("watch --set silence_timeout=0", "silence_timeout must be"),
    ("watch --set max_pending=1.5", "max_pending must be a whole number"),
    ("watch --rest-url http://127.0.0.1:1", "--ws-url"),
    ("watch --rest-url ftp://127.0.0.1 --ws-url ws://127.0.0.1/x", "--rest-url must be"),
    ("watch --rest-url http://127.0.0.1 --ws-url ws://127.0.0.1/x?listenKey=1", "--ws-url must be"),
    ("watch --record {file}", "a new file is needed"),
    ("watch --record {file}/run.rec", "the recording cannot be made: Not a directory"),
    (f"watch --record {'x' * 300}", "the recording cannot be made: File name too long"),
    ("watch --journal {file}", "not a journal"),
    ("simulate --port 65536", "from 0 to 65535"),
    ("simulate --time-scale -1", "--time-scale"),
    ("simulate --fault drop_tcp", "NAME@SECONDS"),
    ("simulate --fault nap@3", "drop_tcp"),
    ("simulate --wire telex", "captured"),
    ("simulate --codes newest", "former"),
    ("simulate --snapshot-interval -1", "a finite number from 0"),
    ("watch --adopt-journal", "--adopt-journal needs --journal"),
    ("watch --journal {file} --adopt-journal", "not a journal"),
    ("journal", "show|verify|forget"),
    ("journal forget nowhere.db", "--order --all"),
    ("journal forget nowhere.db --order 1", "there is no such journal"),
    ("journal show {file}", "not a journal"),
    ("journal verify nowhere.db", "there is no such journal"),
    ("replay {file}", "replay"),
    ("demo --seed x", "--seed"),
]


@pytest.mark.parametrize(("line", "named"), WRONG, ids=[line[:40] or "nothing" for line, _ in WRONG])
def test_wrong_usage(typed: Typed, tmp_path: Path, line: str, named: str) -> None:
    """A wrong command line prints one line to standard error, nothing to standard output, and changes no file."""
    file = tmp_path / "file"
    file.write_text("something else\n")
    ended = typed(*line.replace("{file}", str(file)).split())
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("listenkey: ")
    assert named in ended.err
    assert file.read_text() == "something else\n"


@pytest.mark.parametrize(("line", "named"), WRONG[1:2] + WRONG[-1:])
def test_wrong_usage_of_a_process(start: Start, line: str, named: str) -> None:
    """A process with a wrong command line ends with exit code 2 and one line on standard error."""
    ended = start(*line.split()).end()
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert named in ended.err


@pytest.mark.parametrize(
    "variables",
    [
        {"LISTENKEY_API_KEY": "", "LISTENKEY_API_SECRET": ""},
        {"LISTENKEY_API_KEY": ""},
        {"LISTENKEY_API_SECRET": ""},
        {"LISTENKEY_API_KEY": "two words"},
        {"LISTENKEY_API_SECRET": "line\nbreak"},
    ],
)
def test_credentials_come_from_both_variables_or_not_at_all(typed: Typed, variables: dict[str, str]) -> None:
    """A wrong credential is reported by the name of its variable, and its value is not shown."""
    ended = typed("watch", **variables)
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "LISTENKEY_API_" in ended.err
    for value in (API_KEY, API_SECRET, "two words", "break"):
        assert value not in ended.err


@pytest.mark.parametrize(
    "line",
    [
        *(
            "watch --proxi http://user:hunter2@host:1",
            "watch --proxi=user:hunter2@host:1",
            "watch socks5://:hunter2@host",
        ),
        *("watch --transport http://user:hunter2@host", "watch --proxy ftp://user:hunter2@host", "http://u:hunter2@h"),
        *("watch --transport websockets --proxy http://user:hunter2\u00e9@host", "replay http://u:hunter2@h"),
    ],
)
def test_a_proxys_password_is_not_said_again(typed: Typed, line: str) -> None:
    """A proxy's password is not in the error line, whichever flag it was given to, because such lines are kept."""
    ended = typed(*line.split())
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "hunter2" not in ended.err


def test_a_proxy_of_the_environment_that_is_none(typed: Typed) -> None:
    """A wrong proxy of the environment gives one line that names the flag and the variable, without the password."""
    ended = typed("watch", "--proxy", "env", https_proxy="ftp://user:hunter2@host:1", no_proxy="")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith("listenkey: watch: --proxy: https_proxy of the environment")
    assert "hunter2" not in ended.err


def test_a_port_in_use(start: Start) -> None:
    """A second exchange on the same port ends with one line that names the port."""
    first = start("simulate", "--port", "0")
    port = first.line().split(":")[3].split('"')[0]
    second = start("simulate", "--port", port).end()
    first.end(15)
    assert second.code == 2
    assert second.err.count("\n") == 1
    assert f"--port {port}" in second.err


def test_the_diagram_is_the_table(typed: Typed) -> None:
    """`diagram` prints the table of the lifecycle as a Mermaid diagram, and nothing else."""
    ended = typed("diagram")
    assert (ended.code, ended.out, ended.err) == (0, mermaid(), "")


def test_version_and_help(typed: Typed) -> None:
    """`--version` and `--help` print to standard output and end with exit code 0."""
    for flag, said in (("--version", "listenkey "), ("--help", "journal")):
        ended = typed(flag)
        assert ended.code == 0
        assert said in ended.out
