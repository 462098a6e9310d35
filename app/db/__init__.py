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
from app.db.statements import SQL, Prepared

__all__ = [
    "SQL",
    "Database",
    "DatabaseError",
    "DatabaseUnavailable",
    "ForeignKeyViolation",
    "NoRow",
    "Prepared",
    "StatementTimeout",
    "Statements",
    "Transaction",
    "UniqueViolation",
    "open_database",
]
