"""Settings: one documented table, and how it is read."""

from app.settings.downloads import DownloadSettings
from app.settings.outgoing import OutgoingSettings
from app.settings.read import (
    PREFIX,
    Described,
    SettingsError,
    describe,
    effective,
    load,
    require,
    show,
)
from app.settings.secret import Secret
from app.settings.storage import StorageSettings
from app.settings.table import (
    AuditSettings,
    AuthSettings,
    DatabaseSettings,
    LogSettings,
    ManifestSettings,
    RedisSettings,
    Settings,
    UploadSettings,
)
from app.settings.webhooks import WebhookSettings
from app.settings.workers import WorkerSettings

__all__ = [
    "PREFIX",
    "AuditSettings",
    "AuthSettings",
    "DatabaseSettings",
    "Described",
    "DownloadSettings",
    "LogSettings",
    "ManifestSettings",
    "OutgoingSettings",
    "RedisSettings",
    "Secret",
    "Settings",
    "SettingsError",
    "StorageSettings",
    "UploadSettings",
    "WebhookSettings",
    "WorkerSettings",
    "describe",
    "effective",
    "load",
    "require",
    "show",
]
