"""The settings of downloads: what goes together, and where clients must not be sent."""

import pytest

from app.settings import SettingsError, load

URL, KEY = {"DOWNLOADS_CDN_URL": "https://blobs.example.org"}, {"DOWNLOADS_CDN_KEY": "secret"}
CLOUDFRONT = {"DOWNLOADS_CDN_SIGNING": "cloudfront"}
PUBLIC = {
    "STORAGE_DRIVER": "s3",
    "STORAGE_BUCKET": "blobs",
    "STORAGE_PUBLIC_ENDPOINT": "https://s3.registry.example.org",
}

ENDPOINT = {
    "STORAGE_DRIVER": "s3",
    "STORAGE_BUCKET": "blobs",
    "STORAGE_ENDPOINT": "https://registry.example.org:9000",
}
REDIRECTS = {"DOWNLOADS_REDIRECT_BYTES": "1"}


def named(settings: dict[str, str]) -> dict[str, str]:
    return {f"ROADSTEAD_{name}": value for name, value in settings.items()}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (URL, "ROADSTEAD_DOWNLOADS_CDN_KEY is wrong: set both"),
        (KEY, "ROADSTEAD_DOWNLOADS_CDN_URL is wrong: set both"),
        (URL | KEY | CLOUDFRONT, "ROADSTEAD_DOWNLOADS_CDN_KEY_ID is wrong"),
        (URL | KEY | {"DOWNLOADS_CDN_KEY_ID": "K1"}, "ROADSTEAD_DOWNLOADS_CDN_KEY_ID is wrong"),
        ({"DOWNLOADS_CDN_URL": "https://blobs.example.org/?x"} | KEY, "ROADSTEAD_DOWNLOADS_CDN_URL is wrong"),
        ({"DOWNLOADS_PROXIED_NETWORKS": "10.0.0.1/8"}, "ROADSTEAD_DOWNLOADS_PROXIED_NETWORKS is wrong"),
        ({"DOWNLOADS_REDIRECT_LIFETIME": "604801"}, "ROADSTEAD_DOWNLOADS_REDIRECT_LIFETIME is wrong"),
    ],
)
def test_what_does_not_go_together_says_what_to_set(settings: dict[str, str], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        load(named(settings))


@pytest.mark.parametrize(
    ("registry", "elsewhere", "is_refused"),
    [
        ("https://registry.example.org", URL | KEY, False),
        ("https://blobs.example.org:8443", URL | KEY, True),
        ("https://example.org", URL | KEY, True),
        ("https://ample.org", URL | KEY, False),
        ("https://registry.example.org", PUBLIC, True),
        ("https://example.net", PUBLIC, False),
        ("https://registry.example.org", ENDPOINT, False),
        ("https://registry.example.org", ENDPOINT | REDIRECTS, True),
        ("https://example.net", ENDPOINT | REDIRECTS, False),
        ("https://registry.example.org", ENDPOINT | REDIRECTS | URL | KEY, False),
    ],
)
def test_clients_are_not_sent_where_they_would_take_credentials_along(
    registry: str, elsewhere: dict[str, str], *, is_refused: bool
) -> None:
    settings = named({"EXTERNAL_URL": registry} | elsewhere)
    if not is_refused:
        load(settings)
        return
    with pytest.raises(SettingsError, match=r"(CDN_URL|_ENDPOINT) is wrong: .* credentials"):
        load(settings)
