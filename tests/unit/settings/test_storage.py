"""The settings of storage: what goes together, and what a wrong combination is answered with."""

import pytest

from app.settings import Described, SettingsError, describe, load
from app.settings.storage import _BUCKETS, _ONLY


def on_s3(**settings: str) -> dict[str, str]:
    chosen = {"driver": "s3", "bucket": "blobs", **settings}
    return {f"ROADSTEAD_STORAGE_{name.upper()}": value for name, value in chosen.items()}


def test_a_bucket_is_all_that_s3_needs() -> None:
    storage = load(on_s3()).storage
    assert (storage.driver, storage.bucket) == ("s3", "blobs")
    assert storage.is_path_style is False
    assert storage.access_key + storage.secret_key == ""


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (on_s3(bucket=""), "ROADSTEAD_STORAGE_BUCKET is wrong: the driver `s3` needs one"),
        (on_s3(bucket="a/b"), "ROADSTEAD_STORAGE_BUCKET is wrong"),
        (
            on_s3(root="/mnt"),
            r"STORAGE_ROOT is wrong: it has no effect on .* set storage\.driver to `filesystem`",
        ),
        (on_s3(access_key="x"), "ROADSTEAD_STORAGE_SECRET_KEY is wrong: set both"),
        (on_s3(secret_key="x"), "ROADSTEAD_STORAGE_ACCESS_KEY is wrong: set both"),
        (on_s3(kms_key="x"), r"ROADSTEAD_STORAGE_KMS_KEY is wrong: set storage\.encryption to `aws:kms`"),
        (on_s3(endpoint="s3.local"), "ROADSTEAD_STORAGE_ENDPOINT is wrong"),
        (on_s3(part_bytes="5242879"), "ROADSTEAD_STORAGE_PART_BYTES is wrong"),
        (on_s3(read_timeout="0"), r"STORAGE_READ_TIMEOUT is wrong: .* more than 0 seconds"),
        (on_s3(driver="filesystem"), r"STORAGE_BUCKET is wrong: .* set storage\.driver to `s3`"),
        (on_s3(driver="ftp"), "ROADSTEAD_STORAGE_DRIVER is wrong"),
        (on_s3(account="x" * 3), r"STORAGE_ACCOUNT is wrong: .* set storage\.driver to `azure`"),
        (on_s3(account_key="x"), r"STORAGE_ACCOUNT_KEY is wrong: .* set storage\.driver to `azure`"),
        (on_s3(credentials_file="x"), r"CREDENTIALS_FILE is wrong: .* set storage\.driver to `gcs`"),
        (on_s3(driver="azure"), "ROADSTEAD_STORAGE_ACCOUNT is wrong: the driver `azure` needs it"),
        (on_s3(driver="azure", account="A"), "ROADSTEAD_STORAGE_ACCOUNT is wrong"),
        (on_s3(driver="azure", account="acc", bucket=""), "STORAGE_BUCKET is wrong: the driver `azure`"),
        (on_s3(driver="azure", account="acc", region="eu"), r"STORAGE_REGION is wrong: .* to `s3`"),
        (on_s3(driver="gcs", path_style="always"), r"PATH_STYLE is wrong: .* to `s3` or `azure`"),
        (on_s3(driver="gcs", access_key="x"), r"STORAGE_ACCESS_KEY is wrong: .* to `s3`"),
    ],
)
def test_what_does_not_go_together_says_what_to_set(settings: dict[str, str], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        load(settings)


@pytest.mark.parametrize(
    ("settings", "is_path_style"),
    [
        (on_s3(), False),
        (on_s3(endpoint="http://127.0.0.1:9000"), True),
        (on_s3(endpoint="https://s3.example.org", path_style="never"), False),
        (on_s3(path_style="always"), True),
    ],
)
def test_the_bucket_stands_in_the_path_at_an_endpoint(
    settings: dict[str, str], *, is_path_style: bool
) -> None:
    assert load(settings).storage.is_path_style is is_path_style


NAMES = {"S3": "s3", "Azure": "azure", "GCS": "gcs"}
STORAGE = [setting for setting in describe() if setting.group == "storage" and setting.name != "driver"]


@pytest.mark.parametrize("setting", STORAGE, ids=lambda setting: setting.name)
def test_a_setting_says_which_drivers_it_is_for(setting: Described) -> None:
    said = setting.description.partition(":")[0].split(", ")
    drivers = tuple(NAMES[name] for name in said) if said[0] in NAMES else ("filesystem",)
    assert _ONLY.get(setting.name, _BUCKETS) == drivers
