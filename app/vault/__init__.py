"""Secrets of others that have to be read again, such as passwords of registries: encrypted at rest."""

from app.vault.keep import forget, keep, replace, reveal, reveal_all
from app.vault.sealer import Sealer, SecretUnreadable

__all__ = ["Sealer", "SecretUnreadable", "forget", "keep", "replace", "reveal", "reveal_all"]
