"""Reading settings: from where, and what a wrong one is answered with."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.settings import Secret, Settings, SettingsError, describe, effective, load, require

SECRET = "hunter2-" * 5


def test_nothing_set_means_the_defaults_of_the_table() -> None:
    assert load({}) == Settings()
    assert load({"PATH": "/bin", "ROADSTEADY": "1"}) == Settings()


def test_the_environment_is_read_as_the_type_says() -> None:
    settings = load(
        {
            "ROADSTEAD_PROCESSES": "3",
            "ROADSTEAD_UPLOADS_LEASE": "2.5",
            "ROADSTEAD_LOG_REQUESTS": "true",
            "ROADSTEAD_DATABASE_URL": "postgresql://db/registry",
        }
    )
    assert (settings.processes, settings.log.requests) == (3, True)
    assert settings.uploads.lease == timedelta(seconds=2.5)
    assert isinstance(settings.database.url, Secret)
    assert str(settings.database.url) == "postgresql://db/registry"


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "roadstead.toml"
    file.write_text('processes = 2\n[database]\nurl = "from the file"\npool_size = 7\n')
    settings = load({"ROADSTEAD_CONFIG": str(file), "ROADSTEAD_DATABASE_URL": "from the environment"})
    assert settings.processes == 2
    assert settings.database.pool_size == 7
    assert str(settings.database.url) == "from the environment"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("PROCESSES", "many", "Expected `int`"),
        ("PROCESSES", "-1", ">= 0"),
        ("DATABASE_POOL_SIZE", "1", ">= 2"),
        ("LISTEN", "5000", "matching regex"),
        ("EXTERNAL_URL", "registry.example.org", "matching regex"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, everybody", "'everybody' does not appear"),
        ("LOG_LEVEL", "loud", "'loud'"),
        ("LOG_REQUESTS", "perhaps", "Expected `bool`"),
        ("UPLOADS_LEASE", "soon", "duration"),
        ("UPLOADS_PRESIGNED_LIFETIME", "604801", "1 second to 7 days"),
        ("UPLOADS_ORPHAN_AGE", "3600", "86400 seconds at least"),
        ("AUTH_TOKEN_LIFETIME", "59", "60 seconds at least"),
        ("AUTH_SECRET_KEY", "hunter2", "32 characters at least"),
        ("STORAGE_DRIVER", "floppy", "'floppy'"),
    ],
)
def test_a_wrong_value_is_named_with_its_reason_and_a_remedy(name: str, value: str, reason: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({f"ROADSTEAD_{name}": value})
    message = str(refused.value)
    assert message.startswith(f"ROADSTEAD_{name} is wrong: ")
    assert reason in message
    assert "See docs/configuration.md" in message
    assert "hunter2" not in message


def test_an_unknown_setting_is_named_with_a_remedy() -> None:
    with pytest.raises(
        SettingsError, match=r"DATABSE_URL is not a setting\. Did you mean ROADSTEAD_DATABASE_URL\?"
    ):
        load({"ROADSTEAD_DATABSE_URL": "x"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[database", "is not valid TOML"),
        ("[database]\nurll = 'x'", r"database\.urll is not a setting\. Did you mean database\.url\?"),
        ("[databse]\nurl = 'x'", r"databse is not a setting\. Did you mean \[database\]\?"),
        ("database_url = 'x'", r"database_url is not a setting\. Did you mean database\.url\?"),
        ("proceses = 2", r"proceses is not a setting\. Did you mean processes\?"),
        ("qqqq = 'red'", r"file, qqqq is not a setting\. `roadstead settings` lists them all\.$"),
        ("database = 3", "ROADSTEAD_DATABASE is wrong"),
        ("[database]\npool_size = 'x'", "ROADSTEAD_DATABASE_POOL_SIZE is wrong"),
    ],
)
def test_a_wrong_file_is_one_sentence_that_says_where(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "roadstead.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=reason):
        load({"ROADSTEAD_CONFIG": str(file)})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ROADSTEAD_CONFIG names .*/none\.toml, which cannot be read"):
        load({"ROADSTEAD_CONFIG": str(tmp_path / "none.toml")})


def test_what_a_program_needs_is_asked_for_by_both_names() -> None:
    settings = load({"ROADSTEAD_DATABASE_URL": "x"})
    require(settings, "database.url")
    with pytest.raises(SettingsError, match=r"ROADSTEAD_REDIS_URL is not set.*environment.*`redis\.url`"):
        require(settings, "database.url", "redis.url")


@pytest.mark.parametrize(
    ("driver", "others"), [("s3", ("ACCOUNT_KEY",)), ("azure", ("ACCESS_KEY", "SECRET_KEY"))]
)
def test_secrets_are_never_shown(driver: str, others: tuple[str, ...]) -> None:
    secrets = [setting.env for setting in describe() if setting.type == "secret"]
    assert len(secrets) == 9
    given = [secret for secret in secrets if secret not in {f"ROADSTEAD_STORAGE_{name}" for name in others}]
    storage = {"DRIVER": driver, "BUCKET": "blobs"} | ({"ACCOUNT": "blobs"} if driver == "azure" else {})
    named = {f"ROADSTEAD_STORAGE_{name}": value for name, value in storage.items()}
    named["ROADSTEAD_DOWNLOADS_CDN_URL"] = "https://blobs.example.org"
    settings = load(dict.fromkeys(given, SECRET) | named)
    shown = dict(effective(settings))
    assert {shown[env] for env in given} == {"***"}
    assert "hunter2" not in f"{shown} {settings} {settings!r} {settings.auth} {settings.auth.secret_key!r}"


def test_what_is_in_force_can_be_loaded_again() -> None:
    settings = load({"ROADSTEAD_UPLOADS_LEASE": "2.5", "ROADSTEAD_LISTEN": "[::1]:80"})
    shown = dict(effective(settings))
    assert list(shown) == [setting.env for setting in describe()]
    assert load(shown) == settings


@pytest.mark.parametrize(
    ("listen", "address"),
    [("127.0.0.1:5000", ("127.0.0.1", 5000)), ("[::1]:80", ("::1", 80)), ("db.local:443", ("db.local", 443))],
)
def test_the_address_to_listen_on(listen: str, address: tuple[str, int]) -> None:
    assert load({"ROADSTEAD_LISTEN": listen}).listen_address == address


def test_storage_lies_in_the_data_directory_unless_it_is_set(tmp_path: Path) -> None:
    assert load({"ROADSTEAD_DATA": str(tmp_path)}).storage_root == tmp_path / "storage"
    assert load({"ROADSTEAD_STORAGE_ROOT": "/mnt/blobs"}).storage_root == Path("/mnt/blobs")
