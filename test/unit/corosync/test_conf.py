"""corosync.conf: nothing is lost on the way through hadb."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hadb_core.corosync_conf import Comment, Entry, Section, flatten, from_data, parse, render, to_data
from hadb_core.errors import Invalid, Unreadable

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


def test_a_node_without_a_name_is_known_by_its_number_and_a_group_by_its_own() -> None:
    assert flatten(parse("node {\n nodeid: 2\n}\nuidgid {\n gid: 7\n}\nnode {\n ring0_addr: a\n}\n")) == {
        "node[2].nodeid": "2", "uidgid[7].gid": "7", "node[0].ring0_addr": "a"}  # fmt: skip


def test_the_old_word_ringnumber_names_a_link() -> None:
    assert flatten(parse("interface {\n ringnumber: 1\n ttl: 3\n}\n"))["interface[1].ttl"] == "3"


@pytest.mark.parametrize(
    "text", ["totem {\n", "}\n", "totem { version: 2 }\n", "just words\n", "totem {\n token 3000\n}\n"]
)
def test_what_is_not_understood_is_never_taken_for_empty(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text)


@pytest.mark.parametrize(("text", "words"), [
    ("totem {\n a {\n", "section 'a' is not closed"),
    ("a: 1\n } \n", "a section is closed that was never opened (line: ' } ')"),
    (" totem { a: 1\n", "neither section, key nor comment (line: ' totem { a: 1')"),
    ("a: 1 }\n", "neither section, key nor comment (line: 'a: 1 }')"),
    ("word\n", "neither section, key nor comment (line: 'word')"),
])  # fmt: skip
def test_the_line_that_is_not_understood_is_told(text: str, words: str) -> None:
    with pytest.raises(Unreadable) as error:
        parse(text)
    assert str(error.value) == f"cannot read the output of corosync.conf: {words}"


def test_a_file_is_its_lines_as_plain_data_and_the_other_way_round() -> None:
    text = "# mine\n\ntotem {\n\ttoken: 1000\n\tbare: \n\tinner {\n\t\turl: http://a\n\t}\n}\n"
    data = [
        {"comment": "# mine"}, {"comment": ""},
        {"section": "totem", "items": [
            {"key": "token", "value": "1000"}, {"key": "bare", "value": ""},
            {"section": "inner", "items": [{"key": "url", "value": "http://a"}]}]},
    ]  # fmt: skip
    assert to_data(parse(text)) == data
    assert render(from_data(data)) == text
    assert from_data([{"key": "token", "value": 1000}]) == Section("", (Entry("token", "1000"),))
    assert render(from_data([{"section": "X", "items": [{"key": "X", "value": "X"}]}])) == "X {\n\tX: X\n}\n"
    assert parse("X{\n}\n") == Section("", (Section("X"),))


def test_every_line_that_a_file_cannot_hold_is_told_with_its_place() -> None:
    bad = [
        {"key": "a:b", "value": "1"}, {"key": "a", "value": "{"}, {"key": "", "value": "1"}, {"key": " a", "value": "1"},
        {"key": "a", "value": "1\n2"}, {"key": "#a", "value": "1"}, {"key": 5, "value": "1"}, {"key": "a"}, "word", 5,
        {"comment": "no hash"}, {"comment": "# a\n# b"}, {"comment": " # a"}, {"comment": 5}, {"section": "a}", "items": []},
    ]  # fmt: skip
    with pytest.raises(Invalid) as error:
        from_data([{"key": "a", "value": "1"}, *bad, {"section": "s", "items": [{"key": "k", "value": ""}, {"x": 1}, {"section": "t", "items": "u"}]}])
    told = "is no key, section or comment of a corosync.conf"
    assert error.value.faults == (
        *(f"[{number}]: {line!r} {told}" for number, line in enumerate(bad, 1)),
        f"[16].s[1]: {{'x': 1}} {told}", "[16].s[2].t: must be a list of lines",
    )  # fmt: skip
    for whole in ("text", {"a": 1}, None):
        with pytest.raises(Invalid) as error:
            from_data(whole)
        assert error.value.faults == ("the file: must be a list of lines",)


# Alphabets, not regular expressions: hypothesis makes these ten times as fast.
_WORD = st.text("abcxyz_019", min_size=1, max_size=8)
_LEAF = st.builds(Entry, _WORD, st.text("Aaz09.", max_size=8)) | st.builds(
    Comment, st.just("") | st.text("# az", max_size=8).map(lambda text: f"#{text}".strip())
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


@settings(max_examples=50, deadline=None)
@given(_TREE)
def test_what_is_written_reads_back_the_same(tree: Section) -> None:
    assert parse(render(tree)) == tree
    assert from_data(to_data(tree)) == tree


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=12), st.text(max_size=12))
def test_a_line_is_refused_or_reads_back_as_it_was_given(key: str, value: str) -> None:
    """Whatever words somebody gives: no line break, brace or hash makes another file of it."""
    for line in ({"key": key, "value": value}, {"section": key, "items": []}, {"comment": f"#{value}"}):
        try:
            tree = from_data([line])
        except Invalid:
            continue
        assert to_data(parse(render(tree))) == [line]
