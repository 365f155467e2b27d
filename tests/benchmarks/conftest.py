"""The benchmarks are not in the package: they are imported from the repository's root, after installed packages."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))
