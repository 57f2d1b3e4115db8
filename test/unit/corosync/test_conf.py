"""corosync.conf: nothing is lost on the way through hadb."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hadb_core.corosync_conf import Comment, Entry, Section, flatten, parse, render
from hadb_core.errors import Unreadable

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize("version", ["3.1.7", "3.1.9", "3.1.10"])
def test_debians_file_keeps_its_comments_and_sections(version: str) -> None:
    text = (FIXTURES / version / "debian.conf").read_text()
    again = render(parse(text))
    assert parse(again) == parse(text)
    assert [line.strip() for line in again.splitlines()] == [line.strip() for line in text.splitlines()]


def test_repeated_sections_stay_apart() -> None:
    tree = parse("nodelist {\n node {\n name: a\n }\n node {\n name: b\n }\n}\n")
    assert [node.get("name") for node in tree.sections("nodelist")[0].sections("node")] == ["a", "b"]
    assert flatten(tree) == {"nodelist.node[a].name": "a", "nodelist.node[b].name": "b"}


def test_the_last_of_two_equal_keys_counts_as_in_corosync() -> None:
    tree = parse("totem {\n token: 1\n token: 2\n}\n")
    assert tree.sections("totem")[0].get("token") == "2"
    assert flatten(tree) == {"totem.token": "2"}


def test_the_order_of_nodes_does_not_matter_to_a_comparison() -> None:
    one = parse("nodelist {\n node {\n name: a\n nodeid: 1\n }\n node {\n name: b\n nodeid: 2\n }\n}\n")
    other = parse("nodelist {\n node {\n nodeid: 2\n name: b\n }\n node {\n nodeid: 1\n name: a\n }\n}\n")
    assert flatten(one) == flatten(other)


def test_the_old_word_ringnumber_names_a_link() -> None:
    assert flatten(parse("interface {\n ringnumber: 1\n ttl: 3\n}\n"))["interface[1].ttl"] == "3"


@pytest.mark.parametrize(
    "text", ["totem {\n", "}\n", "totem { version: 2 }\n", "just words\n", "totem {\n token 3000\n}\n"]
)
def test_what_is_not_understood_is_never_taken_for_empty(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text)


_WORD = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
_LEAF = st.builds(Entry, _WORD, st.from_regex(r"[A-Za-z0-9.]{1,12}", fullmatch=True)) | st.builds(
    Comment, st.just("") | st.from_regex(r"#[ a-z]{0,10}[a-z]", fullmatch=True)
)
_TREE = st.builds(
    Section,
    st.just(""),
    st.lists(
        st.builds(
            Section, _WORD, st.lists(_LEAF | st.builds(Section, _WORD, st.lists(_LEAF).map(tuple))).map(tuple)
        )
    ).map(tuple),
)


@given(_TREE)
def test_what_is_written_reads_back_the_same(tree: Section) -> None:
    assert parse(render(tree)) == tree
