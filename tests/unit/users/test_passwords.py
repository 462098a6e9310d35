"""The rule for new passwords."""

import pytest

from app.users.passwords import PasswordTooWeak, check_password, generate_password

RULE = (
    "A password has 8 to 128 characters, among them an upper-case letter, a lower-case letter and a digit; "
)


@pytest.mark.parametrize("password", ["Abcdefg1", "aB3" + "-" * 125, "Ünläßbar 7", "1aA \t\N{SNOWMAN}~~"])
def test_a_password_that_keeps_the_rule_is_taken(password: str) -> None:
    check_password(password)


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("", "0 characters, no upper-case letter, no lower-case letter, no digit"),
        ("Abcdef1", "7 characters"),
        ("aB3" + "-" * 126, "129 characters"),
        ("abcdefg1", "no upper-case letter"),
        ("ABCDEFG1", "no lower-case letter"),
        ("Abcdefgh", "no digit"),
        ("Abcdefg\N{SUPERSCRIPT TWO}", "no digit"),
        ("--------", "no upper-case letter, no lower-case letter, no digit"),
    ],
)
def test_a_weak_password_is_refused_by_a_sentence_that_says_why(password: str, fault: str) -> None:
    with pytest.raises(PasswordTooWeak) as refused:
        check_password(password)
    assert str(refused.value) == f"{RULE}this one has {fault}."


def test_generated_passwords_keep_the_rule_and_differ() -> None:
    passwords = {generate_password() for _ in range(500)}
    assert len(passwords) == 500
    for password in passwords:
        check_password(password)
