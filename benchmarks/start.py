"""The costs of `import listenkey` beyond a bare Python: time, and memory that stays."""

from __future__ import annotations

import re
import subprocess
import sys
from resource import RUSAGE_CHILDREN, getrusage

from .measure import Row, Target, figure

SUBJECT = "start"
_PRINT = "import sys,os; print(int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGESIZE'))"
_USED = "import listenkey; listenkey.open_venue('bingx-swap', api_key='none', api_secret='none'{})"
PROGRAMS = {
    "bare": "pass",
    "import listenkey": "import listenkey",
    "import the core alone": "from listenkey.core.connection import Connection",
    "open a venue, aiohttp": _USED.format(""),
    "open a venue, websockets": _USED.format(", transport='websockets'"),
}


def run(quick: bool = False) -> list[Row]:
    """Measure new processes in turns; the first of each, which may have to compile, does not count."""
    rounds = 1 if quick else 15
    seconds: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    memory: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for number in range(quick, rounds + 1):
        for name, program in PROGRAMS.items():
            spent, held = _ran(program)
            if number:
                seconds[name].append(spent)
                memory[name].append(held)
    rows: list[Row] = []
    for name in PROGRAMS:
        if name == "bare":
            continue
        ms = [(one - bare) * 1000 for one, bare in zip(seconds[name], seconds["bare"], strict=True)]
        mib = [(one - bare) / 2**20 for one, bare in zip(memory[name], memory["bare"], strict=True)]
        promised = name == "import listenkey"
        dearest = f"dearest by python -X importtime: {_dearest()}" if promised else ""
        rows.append(figure(SUBJECT, name, "ms", ms, target=Target(most=60) if promised else None, note=dearest))
        rows.append(figure(SUBJECT, f"{name}, memory", "MiB", mib, target=Target(most=10) if promised else None))
    return rows


def _ran(program: str) -> tuple[float, float]:
    """Return the CPU seconds of a whole process, and its bytes in memory at the end."""
    before = getrusage(RUSAGE_CHILDREN)
    done = _python("-c", f"{program}\n{_PRINT}")
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, float(done.stdout)


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a Python that finds only installed packages, not those of its folder."""
    return subprocess.run([sys.executable, "-P", *arguments], capture_output=True, text=True, check=True)


def _dearest(count: int = 6) -> str:
    """Return the modules that take longest to load by themselves."""
    done = _python("-X", "importtime", "-c", "import listenkey")
    lines = re.findall(r"import time:\s*(\d+) \|\s*\d+ \|\s*(\S+)", done.stderr)
    longest = sorted(((int(us), name) for us, name in lines), reverse=True)[:count]
    return ", ".join(f"{name} {us / 1000:.1f} ms" for us, name in longest)
