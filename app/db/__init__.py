"""PostgreSQL, as the rest of the code sees it."""

from app.db.database import Database, Statements, Transaction, open_database
from app.db.errors import (
    DatabaseError,
    DatabaseUnavailable,
    ForeignKeyViolation,
    NoRow,
    StatementTimeout,
    UniqueViolation,
)
from app.db.listing import Column, Listing, Page
from app.db.statements import SQL, Prepared

__all__ = [
    "SQL",
    "Column",
    "Database",
    "DatabaseError",
    "DatabaseUnavailable",
    "ForeignKeyViolation",
    "Listing",
    "NoRow",
    "Page",
    "Prepared",
    "StatementTimeout",
    "Statements",
    "Transaction",
    "UniqueViolation",
    "open_database",
]
