"""PostgreSQL, as the rest of the code sees it."""

from app.db.coalesce import Coalescer
from app.db.database import Database, Transaction, open_database
from app.db.errors import (
    DatabaseError,
    DatabaseUnavailable,
    ForeignKeyViolation,
    NoRow,
    StatementTimeout,
    UniqueViolation,
)
from app.db.statements import SQL, Json, Prepared

__all__ = [
    "SQL",
    "Coalescer",
    "Database",
    "DatabaseError",
    "DatabaseUnavailable",
    "ForeignKeyViolation",
    "Json",
    "NoRow",
    "Prepared",
    "StatementTimeout",
    "Transaction",
    "UniqueViolation",
    "open_database",
]
