"""The command line as a stranger meets it."""

import pytest

from cli.main import VERBS, main


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert [verb for verb in VERBS if f"    {verb} " not in text] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"usage: roadstead {verb}" in text
    assert len(text.splitlines()) > 6


def test_an_unknown_verb_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sail"])
    assert ended.value.code == 2
    assert "sail" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verb", "environment", "sentence"),
    [
        ("up", {"ROADSTEAD_PROCESSES": "-1"}, "ROADSTEAD_PROCESSES is wrong"),
        ("serve", {}, "ROADSTEAD_DATABASE_URL is not set"),
        ("work", {}, "ROADSTEAD_DATABASE_URL is not set"),
        ("migrate", {}, "ROADSTEAD_DATABASE_URL is not set"),
        ("settings", {"ROADSTEAD_LISTEM": ":80"}, "ROADSTEAD_LISTEM is not a setting"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    verb: str,
    environment: dict[str, str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main([verb]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(sentence)
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_what_cannot_be_started_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROADSTEAD_DATA", "/dev/null/data")
    assert main(["up"]) == 1
    assert capsys.readouterr().err.startswith("The data directory /dev/null/data cannot be used")


def test_settings_in_force_are_printed_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROADSTEAD_DATABASE_URL", "postgresql://me:hidden@db/registry")
    monkeypatch.setenv("ROADSTEAD_LISTEN", "0.0.0.0:80")
    assert main(["settings"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "ROADSTEAD_LISTEN=0.0.0.0:80" in lines
    assert "ROADSTEAD_DATABASE_URL=***" in lines
    assert "hidden" not in str(lines)


def test_the_page_of_settings_has_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings"]) == 0
    names = [line.partition("=")[0] for line in capsys.readouterr().out.splitlines()]
    assert main(["settings", "--markdown"]) == 0
    page = capsys.readouterr().out
    assert [name for name in names if f"| `{name}` |" not in page] == []
