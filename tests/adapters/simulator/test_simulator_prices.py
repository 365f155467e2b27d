"""Files of prices: how each form is read, which are refused in one line, and how the market repeats them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from listenkey.adapters.simulator.desk import Desk
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.market import Instrument
from listenkey.adapters.simulator.pricefile import recorded
from listenkey.adapters.simulator.tape import Tape
from listenkey.adapters.simulator.ticket import Ticket
from listenkey.adapters.simulator.venue import Venue

D = Decimal
BTC = "BTC-USDT"
BEGIN = 1_758_608_899_123
MINUTE = 60_000
NAMES = "time,open,high,low,close,volume\n"
EPOCH = 1_700_000_000_000


def written(folder: Path, text: str, name: str = "prices.csv") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def tape_of(folder: Path, text: str) -> Tape:
    (instrument,) = (each for each in recorded(written(folder, text)) if each.tape is not None)
    assert instrument.symbol == BTC
    assert instrument.tape is not None
    return instrument.tape


@pytest.mark.parametrize(
    "text",
    [
        "1700000000,64000,0.5\n1700000001.5,64010.04,0.25\n",
        "1700000000000,64000,0.5\n\n1700000001500,64010.04,0.25\n",
        "1700000000000000,64000,0.5\n1700000001500000,64010.04,0.25\n",
        "time,price,quantity\n2023-11-14T22:13:20Z,64000,0.5\n2023-11-14 22:13:21.500,64010.04,0.25\n",
        "\ufeffQty, side ,Price,Timestamp\r\n0.5,buy,64000,1700000000\r\n0.25,sell,64010.04,1700000001.5\r\n",
    ],
)
def test_trades(tmp_path: Path, text: str) -> None:
    """Trades are read with or without a header and with times in any unit, and prices are rounded to the tick."""
    tape = tape_of(tmp_path, text)
    assert [list(each) for each in tape] == [[EPOCH, EPOCH + 1500], [640_000, 640_100], [5000, 2500]]


@pytest.mark.parametrize(
    "header", ["", "time,open,high,low,close,volume\n", "date,open,high,low,close,volume,trades\n"]
)
def test_candles(tmp_path: Path, header: str) -> None:
    """A candle is read as four moves with the extreme nearer to its open first, and its volume is spread over them."""
    more = ",7" if "trades" in header else ""
    rows = f"1700000000,10,14,9,12,0.0041{more}\n1700000060,12,13,8,9,0.0004{more}\n"
    tape = tape_of(tmp_path, header + rows)
    assert list(tape.times) == [EPOCH + quarter * MINUTE // 4 for quarter in range(8)]
    assert list(tape.ticks) == [100, 90, 140, 120, 120, 130, 80, 90]
    assert list(tape.steps) == [10, 10, 10, 11, 1, 1, 1, 1]


def test_a_file_without_quantities(tmp_path: Path) -> None:
    """A file without quantities gives none, and a single candle lasts a minute."""
    assert list(tape_of(tmp_path, "1,5\n2,6\n").steps) == []
    alone = tape_of(tmp_path, "1,10,14,9,12\n")
    assert list(alone.times) == [1000, 16_000, 31_000, 46_000]


WRONG = [
    ("", "has no prices"),
    ("time,price\n", "has no prices"),
    ("1,64000\n2\n", "line 2: it has 1 columns"),
    ("1,2,3,4\n", "line 1: it has 4 columns: a trade has 2 or 3, a candle 5 or 6"),
    ("when,price\n1,2\n", "line 1: it names neither time, price nor time, open, high, low, close"),
    ("time,price\nsoon,64000\n", "line 2: 'soon' is no time"),
    ("1,64000\n-5,64000\n", "line 2: '-5' is no time"),
    ("1,64000\n2,0\n", "line 2: '0' is no price above 0"),
    ("1,64000\n2,-1\n", "line 2: '-1' is no price above 0"),
    ("1,64000\n2,nan\n", "line 2: 'nan' is no price above 0"),
    ("1,64000\n2,dear\n", "line 2: 'dear' is no price above 0"),
    ("1,64000\n2,0.01\n", "line 2: '0.01' is no price of BTC-USDT, whose tick is 0.1"),
    ("1,64000\n2,1e999999\n", "line 2: '1e999999' is no price of BTC-USDT"),
    ("1,64000,-1\n", "line 1: '-1' is no quantity"),
    ("2,64000\n\n1,64000\n", "line 3: its time 1 is not after that of the row before"),
    ("1,10,14,9,12\n1,10,14,9,12\n", "line 2: its time 1 is not after that of the row before"),
    ("1,10,11,9,12\n", "line 1: its high or low is within its open and close"),
    ("\0", "line 1: it names neither"),
    ("1,2\n3,\x80\n", "is no CSV of UTF-8"),
]


@pytest.mark.parametrize(("text", "says"), WRONG, ids=[says for _, says in WRONG])
def test_what_is_wrong_is_said_in_a_line(tmp_path: Path, text: str, says: str) -> None:
    """A wrong file is refused in one line that has its name and the wrong row's number."""
    path = tmp_path / "prices.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r"^prices: \S+prices\.csv") as error:
        recorded(path)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_which_symbol_it_is_of(tmp_path: Path) -> None:
    """A file's symbol stands before `=`; an unknown or repeated symbol and an unreadable file are refused."""
    file = written(tmp_path, "1,3000\n")
    found = {each.symbol: each.tape for each in recorded([file, f"ETH-USDT={file}"])}
    assert [symbol for symbol, tape in found.items() if tape] == [BTC, "ETH-USDT"]
    for wrong, says in (
        (f"XRP-USDT={file}", "XRP-USDT is not one of BTC-USDT, "),
        ([file, f"BTC-USDT={file}"], "BTC-USDT is given twice"),
        (f"{file}x", "cannot be read: No such file"),
        (str(tmp_path), "cannot be read: Is a directory"),
    ):
        with pytest.raises(ValueError, match=says):
            recorded(wrong)


def test_it_says_how_far_it_has_got(tmp_path: Path) -> None:
    """Reading a file reports its progress at the beginning, every so many rows, and at the end."""
    file = written(tmp_path, "".join(f"{second},64000\n" for second in range(1, 12_001)))
    progress: list[tuple[str, int, int]] = []
    recorded(file, progress=lambda *each: progress.append(each))
    size = Path(file).stat().st_size
    assert [name for name, _, _ in progress] == [file] * 4
    assert [done for _, done, _ in progress] == sorted(done for _, done, _ in progress)
    assert progress[-1][1:] == (size, size)


def of(tape: Tape, symbol: str = BTC) -> Instrument:
    return Instrument(symbol, "USDT", D("0.1"), D("0.0001"), D(64000), tape)


def test_the_market_repeats_it() -> None:
    """The market repeats the tape from the exchange's beginning at the same distances, and keeps the last price."""
    tape = Tape([5000, 5400, 9000], [640_000, 639_000, 641_000])
    market = Exchange(now=BEGIN, instruments=[of(tape)]).market
    prices = [market.price(BTC, BEGIN + ms) for ms in (-1, 0, 399, 400, 3999, 4000, 10**9)]
    assert prices == [D(each) for each in (64000, 64000, 64000, 63900, 63900, 64100, 64100)]
    assert list(market.moves(BEGIN, BEGIN + 10_000)) == [BEGIN + 400, BEGIN + 4000]
    assert [(each.time, each.price) for each in market.trades(BTC, 2, BEGIN)] == [
        (BEGIN + 400, D(63900)),
        (BEGIN + 4000, D(64100)),
    ]


def test_its_candles_are_those_of_the_file(tmp_path: Path) -> None:
    """If the exchange begins on a full minute, its candles and volumes equal the file's, after an invented past."""
    rows = """\
1700000040,64000,64100,63900,64050,2
1700000100,64060,64060,63000,63500,4
1700000160,63500,63501,63499,63500,8
"""
    instruments = recorded(written(tmp_path, rows))
    begin = 1_700_000_040_000
    market = Exchange(now=begin, instruments=instruments).market
    found = market.candles(BTC, "1m", None, begin + 3 * MINUTE - 1, 4, begin + 3 * MINUTE - 1)
    assert [(each.time, *map(int, (each.open, each.high, each.low, each.close))) for each in found[1:]] == [
        (begin, 64000, 64100, 63900, 64050),
        (begin + MINUTE, 64060, 64060, 63000, 63500),
        (begin + 2 * MINUTE, 63500, 63501, 63499, 63500),
    ]
    assert [round(each.volume, 1) for each in found[1:]] == [D(2), D(4), D(8)]
    assert found[0].close == 64000
    later = market.candles(BTC, "1m", None, begin + 9 * MINUTE, 1, begin + 9 * MINUTE)
    assert [(each.open, each.close, each.volume) for each in later] == [(D(63500), D(63500), D(0))]


def test_a_wick_between_two_seconds_triggers_a_stop() -> None:
    """A stop is triggered by each move of the tape, even by one that is over before the next step."""
    tape = Tape([0, 100, 200], [640_000, 600_000, 640_000])
    exchange = Exchange(now=BEGIN, instruments=[of(tape)])
    desk = Desk(exchange)
    desk.place(Ticket(symbol=BTC, side="BUY", type="MARKET", position_side="LONG", qty=D("0.01")), now=BEGIN)
    stop = Ticket(symbol=BTC, side="SELL", type="STOP_MARKET", position_side="LONG", qty=D("0.01"), stop_price=D(61000))
    desk.place(stop, now=BEGIN)
    desk.step(BEGIN + 10_000)
    assert exchange.account.positions() == []
    assert (exchange.fills[-1].ts, exchange.fills[-1].price) == (BEGIN + 100, D("59999.9"))


def test_beside_a_tape_others_move_as_ever(tmp_path: Path) -> None:
    """Other symbols beside a tape have the prices of the seed, and the market's moves are those of both."""
    file = written(tmp_path, "1,64000\n1.5,63000\n")
    plain, taped = (Venue(seed=3, epoch_ms=BEGIN, prices=prices) for prices in ((), file))
    at = BEGIN + 60_000
    for symbol in ("ETH-USDT", "SOL-USDT"):
        assert plain.exchange.market.price(symbol, at) == taped.exchange.market.price(symbol, at)
    assert taped.exchange.market.price(BTC, at) == 63000
    seconds = list(plain.exchange.market.moves(BEGIN, BEGIN + 2000))
    assert list(taped.exchange.market.moves(BEGIN, BEGIN + 2000)) == sorted([*seconds, BEGIN + 500])
