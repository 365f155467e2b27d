"""Reads prices: CSV of trades (time, price[, quantity]) or of candles (time, open, high, low, close[, volume]).

Columns are found by the names in the first row if it has names, else by their order. A time is in seconds, milliseconds
or microseconds since the epoch, or ISO 8601, in UTC if it has no other zone. A candle becomes four moves of the price.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import pairwise
from os import PathLike, fspath
from pathlib import Path

import msgspec

from .market import INSTRUMENTS, Instrument
from .tape import Tape

Progress = Callable[[str, int, int], None]
"""A function that is called with the file's name, the number of its bytes read so far, and its size."""
Source = str | PathLike[str]
DEFAULT_SYMBOL = "BTC-USDT"
FORM = re.compile(r"([A-Z0-9]+-[A-Z]+)=(.+)", re.DOTALL)
TRADE = ("time", "price", "quantity")
CANDLE = ("time", "open", "high", "low", "close", "volume")
ALIASES = {"timestamp": "time", "date": "time", "datetime": "time", "open_time": "time", "qty": "quantity"}
SECONDS, MILLISECONDS = 10**11, 10**14
"""A time below the first is in seconds, below the second in milliseconds, else in microseconds."""
MOST = Decimal(10) ** 15
"""Prices and quantities must be below this."""
ALONE_MS = 60_000
"""The length of a candle that is the only one of its file, ms."""
OFTEN = 5000
"""Rows between two calls of the progress function."""


def recorded(
    files: Source | Iterable[Source],
    instruments: Iterable[Instrument] = INSTRUMENTS,
    progress: Progress = lambda name, done, size: None,
) -> list[Instrument]:
    """Return the instruments with the tapes of these files: `FILE`, for BTC-USDT, or `SYMBOL=FILE`.

    Raises `ValueError` with one line that names the file, and the row if it is wrong.
    """
    listed = {each.symbol: each for each in instruments}
    read: set[str] = set()
    for said in [files] if isinstance(files, (str, PathLike)) else files:
        named = FORM.fullmatch(fspath(said))
        symbol, file = (named[1], named[2]) if named else (DEFAULT_SYMBOL, fspath(said))
        if symbol in read:
            raise ValueError(f"prices: {symbol} is given twice")
        if symbol not in listed:
            raise ValueError(f"prices: {symbol} is not one of {', '.join(listed)}")
        read.add(symbol)
        try:
            tape = _File(file, listed[symbol]).tape(progress)
        except OSError as error:
            raise ValueError(f"prices: {file} cannot be read: {error.strerror}") from None
        except (UnicodeDecodeError, csv.Error):
            raise ValueError(f"prices: {file} is no CSV of UTF-8") from None
        listed[symbol] = msgspec.structs.replace(listed[symbol], tape=tape)
    return list(listed.values())


class _File:
    def __init__(self, name: str, instrument: Instrument) -> None:
        self._name = name
        self._instrument = instrument
        self._line = 0
        self._read = 0

    def tape(self, progress: Progress) -> Tape:
        size = Path(self._name).stat().st_size
        times, ticks, steps = array("q"), array("q"), array("q")
        columns: Mapping[str, int] = {}
        candles: list[tuple[int, list[int], int]] = []
        for number, row in enumerate(self._rows()):
            if number % OFTEN == 0:
                progress(self._name, self._read, size)
            if not columns:
                columns, is_header = self._columns(row)
                if is_header:
                    continue
            fields = self._fields(row, columns)
            time, qty = self._time(fields["time"]), self._steps(fields)
            last = candles[-1][0] if candles else times[-1] if times else time
            if time < last or (candles and time == last):
                raise self._wrong(f"its time {fields['time']} is not after that of the row before")
            if "price" in columns:
                times.append(time)
                ticks.append(self._ticks(fields["price"]))
                steps.append(qty)
            else:
                candles.append((time, self._four(fields), qty))
        progress(self._name, size, size)
        length = min((after[0] - each[0] for each, after in pairwise(candles)), default=ALONE_MS)
        for time, four, qty in candles:
            times.extend(time + part * length // 4 for part in range(4))
            ticks.extend(four)
            steps.extend([qty // 4] * 3 + [qty - qty // 4 * 3])
        if not times:
            raise ValueError(f"prices: {self._name} has no prices")
        return Tape(times, ticks, steps if "quantity" in columns or "volume" in columns else ())

    def _rows(self) -> Iterator[list[str]]:
        """The file's rows that are not empty."""
        with Path(self._name).open("rb") as file:

            def lines() -> Iterator[str]:
                for line in file:
                    self._read += len(line)
                    yield line.decode("utf-8-sig" if self._read == len(line) else "utf-8")

            reader = csv.reader(lines())
            for row in reader:
                self._line = reader.line_num
                if any(each.strip() for each in row):
                    yield [each.strip() for each in row]

    def _columns(self, row: list[str]) -> tuple[Mapping[str, int], bool]:
        """The number of each column by name, and True if the row is a header."""
        if _time(row[0]) is None:
            said = [ALIASES.get(each.lower(), each.lower()) for each in row]
            for names in (TRADE, CANDLE):
                if {*names[:-1]} <= {*said}:
                    return {name: said.index(name) for name in names if name in said}, True
            raise self._wrong(f"it names neither {', '.join(TRADE[:-1])} nor {', '.join(CANDLE[:-1])}")
        for names in (TRADE, CANDLE):
            if len(row) in {len(names) - 1, len(names)}:
                return {name: number for number, name in enumerate(names[: len(row)])}, False
        raise self._wrong(f"it has {len(row)} columns: a trade has 2 or 3, a candle 5 or 6")

    def _fields(self, row: list[str], columns: Mapping[str, int]) -> dict[str, str]:
        if len(row) <= max(columns.values()):
            raise self._wrong(f"it has {len(row)} columns")
        return {name: row[number] for name, number in columns.items()}

    def _time(self, text: str) -> int:
        time = _time(text)
        if time is None:
            raise self._wrong(f"{text!r} is no time")
        return time

    def _ticks(self, text: str) -> int:
        """A price in ticks, rounded to the symbol's grid."""
        price = _amount(text)
        if price is None or price <= 0:
            raise self._wrong(f"{text!r} is no price above 0")
        tick = self._instrument.tick
        ticks = int((price / tick).to_integral_value(ROUND_HALF_UP)) if price < MOST else 0
        if not ticks:
            raise self._wrong(f"{text!r} is no price of {self._instrument.symbol}, whose tick is {tick}")
        return ticks

    def _steps(self, fields: Mapping[str, str]) -> int:
        text = fields.get("quantity", fields.get("volume", "0"))
        qty = _amount(text)
        if qty is None or not 0 <= qty < MOST:
            raise self._wrong(f"{text!r} is no quantity")
        return int(qty / self._instrument.step)

    def _four(self, fields: Mapping[str, str]) -> list[int]:
        """The four prices of a candle, in ticks, in their likely order."""
        opened, high, low, close = (self._ticks(fields[name]) for name in CANDLE[1:5])
        if high < max(opened, close) or low > min(opened, close):
            raise self._wrong("its high or low is within its open and close")
        return [opened, low, high, close] if close >= opened else [opened, high, low, close]

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"prices: {self._name}, line {self._line}: {what}")


def _time(text: str) -> int | None:
    """Milliseconds since the epoch; None if the text is no time."""
    number = _amount(text)
    if number is not None:
        if not 0 <= number < MOST * 1000:
            return None
        return int(number * 1000 if number < SECONDS else number if number < MILLISECONDS else number / 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _amount(text: str) -> Decimal | None:
    """A finite number; None if the text is none."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
