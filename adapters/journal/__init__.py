"""A journal in one SQLite file: the delivered events, up to where they were dealt with, and what is proven."""

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
