"""Names of repositories, projects and tags: the grammar of the specification, to the letter."""

import re
import string
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.oci.digest import Digest
from app.oci.errors import DigestInvalid, NameInvalid
from app.oci.names import RepositoryName, Tag, parse_project_name, parse_reference

# The specification's own expressions (spec.md, "Pulling manifests").
NAME = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
TAG = r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}"

near_names = st.text(alphabet="ab0._-/A\n", max_size=12)
near_tags = st.text(alphabet=string.ascii_letters + "0._-:/ \n", max_size=130)


@settings(deadline=None)
@given(near_names)
def test_a_name_is_what_the_specification_says(text: str) -> None:
    if re.fullmatch(NAME, text):
        assert RepositoryName.parse(text) == (text if "/" in text else f"library/{text}")
    else:
        with pytest.raises(NameInvalid):
            RepositoryName.parse(text)


@settings(deadline=None)
@given(near_tags)
def test_a_tag_is_what_the_specification_says(text: str) -> None:
    if re.fullmatch(TAG, text):
        assert Tag.parse(text) == text
    else:
        with pytest.raises(NameInvalid):
            Tag.parse(text)


@pytest.mark.parametrize(("text", "project"), [("alpine", "library"), ("a/b", "a"), ("a-1/b/c", "a-1")])
def test_the_first_component_is_the_project(text: str, project: str) -> None:
    assert RepositoryName.parse(text).project == project


def test_255_characters_are_the_longest_name() -> None:
    assert RepositoryName.parse("a/" + "b" * 253)
    with pytest.raises(NameInvalid):
        RepositoryName.parse("a/" + "b" * 254)


def test_a_long_name_that_almost_fits_is_refused_at_once() -> None:
    with pytest.raises(NameInvalid):
        RepositoryName.parse("a-" * 127 + "!")


@pytest.mark.parametrize("text", ["a/b", "", "A", "a.", "-a", "a" * 256, "a\n"])
def test_what_cannot_be_a_project_is_refused(text: str) -> None:
    assert parse_project_name("a__b") == "a__b"
    with pytest.raises(NameInvalid):
        parse_project_name(text)


def test_a_reference_is_a_tag_or_a_digest() -> None:
    digest = Digest.of(b"")
    assert type(parse_reference(digest)) is Digest
    assert type(parse_reference("latest")) is Tag


@pytest.mark.parametrize(
    ("text", "error"),
    [("sha256:beef", DigestInvalid), ("a:b", DigestInvalid), ("", NameInvalid), (".a", NameInvalid)],
)
def test_what_is_neither_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_reference(text)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    with suppress(NameInvalid, DigestInvalid):
        assert parse_reference(text) == text
