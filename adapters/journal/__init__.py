"""A journal in one SQLite file: the delivered events, the mark of those dealt with, and `proven_until`."""

from ...ports.errors import JournalRefused
from .forgetting import Forgotten, forget
from .inspection import Finding, Summary, show, summary, verify
from .sqlite import SqliteJournal

__all__ = [
    "Finding",
    "Forgotten",
    "JournalRefused",
    "SqliteJournal",
    "Summary",
    "forget",
    "show",
    "summary",
    "verify",
]
