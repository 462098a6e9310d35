"""What lies in the storage of a registry under test."""

from pathlib import Path


def all_files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def upload_files(root: Path) -> list[Path]:
    """Files that belong to unfinished uploads."""
    return all_files(root / "uploads")
