"""PostgreSQL, as the rest of the code sees it."""

from app.db.connection import Statements, Transaction
from app.db.database import Database, open_database
from app.db.errors import (
    CheckViolation,
    DatabaseError,
    DatabaseUnavailable,
    Deadlock,
    ForeignKeyViolation,
    NoRow,
    StatementTimeout,
    UniqueViolation,
)
from app.db.listing import Column, Listing, Page
from app.db.precondition import Check, Precondition, under
from app.db.statements import SQL, Prepared

__all__ = [
    "SQL",
    "Check",
    "CheckViolation",
    "Column",
    "Database",
    "DatabaseError",
    "DatabaseUnavailable",
    "Deadlock",
    "ForeignKeyViolation",
    "Listing",
    "NoRow",
    "Page",
    "Precondition",
    "Prepared",
    "StatementTimeout",
    "Statements",
    "Transaction",
    "UniqueViolation",
    "open_database",
    "under",
]
