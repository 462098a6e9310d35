"""PostgreSQL, as the rest of the code sees it."""

from app.db.connection import Statements, Transaction
from app.db.database import Database, open_database
from app.db.errors import (
    DatabaseError,
    DatabaseUnavailable,
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
    "Column",
    "Database",
    "DatabaseError",
    "DatabaseUnavailable",
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
