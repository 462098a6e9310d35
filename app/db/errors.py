"""Database failures that callers may act on."""


class DatabaseError(Exception):
    """The database refused or lost a statement."""


class DatabaseUnavailable(DatabaseError):
    """The database cannot be reached, or the connection broke in the middle."""


class DatabaseNotMigrated(DatabaseError):
    """The schema is older than this program."""


class NoRow(DatabaseError):
    """A statement that must return one row returned none."""


class Deadlock(DatabaseError):
    """Two transactions waited for each other, and this one was given up; it can be tried again."""


class StatementTimeout(DatabaseError):
    """The server gave up on a statement (`statement_timeout`)."""


class PreconditionFailed(DatabaseError):
    """What was remembered does not hold any more; the statement behind the check was not run."""


class ConstraintViolation(DatabaseError):
    """A row breaks the constraint of this name."""

    def __init__(self, constraint: str | None) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class UniqueViolation(ConstraintViolation):
    """A row with this key already exists."""


class ForeignKeyViolation(ConstraintViolation):
    """A row that must be there is missing, or one that is needed was to be deleted."""


class CheckViolation(ConstraintViolation):
    """A row would have a value that it may not have."""
