"""A journal in one SQLite file: what was told to the consumer, up to where it was dealt with, and what is proven."""

from .inspection import Finding, Summary, show, summary, verify
from .schema import JournalRefused
from .sqlite import SqliteJournal

__all__ = ["Finding", "JournalRefused", "SqliteJournal", "Summary", "show", "summary", "verify"]
