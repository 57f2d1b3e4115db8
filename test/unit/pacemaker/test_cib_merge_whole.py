"""One merge compared whole: what is put where, what is left alone, and why a merge is refused."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from small_cib import (
    BAN,
    DEFAULTS,
    FENCE,
    FS,
    GROUP,
    PROPERTIES,
    REF,
    SERVER,
    TAGS,
    live,
    merged,
    part,
    refusal,
    wanted,
)

from hadb_core import cib_merge


def test_a_blank_cib_gets_everything_in_its_section() -> None:
    assert merged(cib_merge.parse(cib_merge.BLANK)) == (
        f"<cib><configuration>{PROPERTIES}<nodes /><resources>{FENCE}{GROUP}</resources><constraints>{BAN}</constraints>"
        f"{DEFAULTS}{TAGS}</configuration><status /></cib>"
    )


def test_sections_that_are_missing_are_made() -> None:
    assert merged(ET.fromstring("<cib><configuration /></cib>")) == (
        f"<cib><configuration>{PROPERTIES}{DEFAULTS}<resources>{FENCE}{GROUP}</resources><constraints>{BAN}</constraints>{TAGS}"
        "</configuration></cib>"
    )


def test_what_is_there_already_stays_as_it_is() -> None:
    assert merged(live()) == ET.tostring(live(), encoding="unicode")


def test_a_live_element_that_means_the_same_keeps_its_inner_ids() -> None:
    fence = '<primitive id="fence-db1" class="stonith" type="fence_x"><instance_attributes id="{}">' \
            '<nvpair id="{}" name="pcmk_off_timeout" value="{}" /></instance_attributes></primitive>'  # fmt: skip
    mine, theirs = fence.format("a", "b", "60s"), fence.format("x", "y", "1min")
    assert part("resources", live(theirs + GROUP), wanted(mine)) == theirs + GROUP
    other = fence.format("x", "y", "2min")
    assert part("resources", live(other + GROUP), wanted(mine)) == mine + GROUP


def test_a_constraint_with_other_words_for_the_same_score_stays_and_another_is_replaced_in_place() -> None:
    same, foreign = BAN.replace("-INFINITY", "-1000000"), '<rsc_location id="theirs" rsc="db" node="db2" score="5" />'
    assert part("constraints", live(constraints=same + foreign)) == same + foreign
    assert part("constraints", live(constraints=BAN.replace("db1", "db2") + foreign)) == BAN + foreign


def test_an_id_that_something_else_has_becomes_what_is_wanted() -> None:
    assert part("constraints", live(constraints='<rsc_order id="loc" first="a" then="b" />')) == BAN


def test_holds_and_the_description_of_a_replaced_element_are_kept() -> None:
    held = (
        '<primitive id="fence-db1" class="stonith" type="old" description="by Ann"><meta_attributes id="m">'
        '<nvpair id="n" name="target-role" value="Stopped" /><nvpair id="o" name="priority" value="1" /></meta_attributes></primitive>'
    )
    assert part("resources", live(held + GROUP)) == (
        '<primitive id="fence-db1" class="stonith" type="fence_x" description="by Ann"><meta_attributes id="m">'
        '<nvpair id="n" name="target-role" value="Stopped" /></meta_attributes></primitive>' + GROUP
    )
    mine = FENCE.replace(" />", '><meta_attributes id="mine" /></primitive>')
    assert part("resources", live(held + GROUP), wanted(mine)) == (
        '<primitive id="fence-db1" class="stonith" type="fence_x" description="by Ann"><meta_attributes id="mine">'
        '<nvpair id="n" name="target-role" value="Stopped" /></meta_attributes></primitive>' + GROUP
    )


def test_a_held_set_comes_before_what_else_an_element_has() -> None:
    mine = FENCE.replace(" />", "><operations /></primitive>")
    held = FENCE.replace("fence_x", "old").replace(
        " />", '><meta_attributes id="m"><nvpair id="n" name="is-managed" value="false" /></meta_attributes></primitive>'
    )
    assert part("resources", live(held + GROUP), wanted(mine)) == FENCE.replace(" />", (
        '><meta_attributes id="m"><nvpair id="n" name="is-managed" value="false" /></meta_attributes><operations /></primitive>'
    )) + GROUP  # fmt: skip


def test_foreign_members_stay_behind_the_member_that_they_followed() -> None:
    first, middle, last = (f'<primitive id="x{n}" class="ocf" type="y" />' for n in (1, 2, 3))
    meta = '<meta_attributes id="m" />'
    there = f'<group id="db">{meta}{first}{FS}{middle}{SERVER}{last}</group>'
    want = GROUP.replace("<primitive", f"{meta}<primitive", 1)
    assert part("resources", live(FENCE + there), wanted(group=want)) == FENCE + there


def test_a_foreign_member_that_came_first_stays_first() -> None:
    there = f'<group id="db"><primitive id="x" class="ocf" type="y" />{FS}{SERVER}</group>'
    assert part("resources", live(FENCE + there)) == FENCE + there


def test_two_foreign_members_in_a_row_keep_their_order() -> None:
    one, two = (f'<primitive id="x{n}" class="ocf" type="y" />' for n in (1, 2))
    there = f'<group id="db">{FS}{one}{two}{SERVER}</group>'
    assert part("resources", live(FENCE + there)) == FENCE + there


def test_a_member_that_stands_alone_moves_into_the_group_with_its_hold() -> None:
    hold = '<meta_attributes id="m"><nvpair id="n" name="maintenance" value="true" /></meta_attributes></primitive>'
    alone = FS.replace(" />", f">{hold}")
    assert part("resources", live(alone + FENCE, "", tags="")) == FENCE + GROUP.replace(FS, alone)
    old = alone.replace('type="fs"', 'type="old"')
    assert part("resources", live(f'{old}<group id="db">{SERVER}</group>{FENCE}')) == GROUP.replace(FS, alone) + FENCE


def test_the_order_of_the_group_is_put_right_and_its_place_kept() -> None:
    theirs = '<primitive id="theirs" class="ocf" type="y" />'
    there = f'<group id="db" description="D">{SERVER}{FS}</group>'
    assert part("resources", live(there + theirs + FENCE)) == GROUP.replace('id="db"', 'id="db" description="D"') + theirs + FENCE


def test_what_hadb_recorded_and_no_longer_wants_goes_with_its_constraint() -> None:
    old, ban = FENCE.replace("db1", "db9"), BAN.replace('"loc"', '"loc9"').replace("fence-db1", "fence-db9")
    tags = TAGS.replace('<tag id="hadb">', f'<tag id="hadb">{REF.format("fence-db9")}{REF.format("loc9")}{REF.format("gone")}')
    assert merged(live(old + FENCE + GROUP, ban + BAN, tags=tags)) == ET.tostring(live(), encoding="unicode")


def test_a_member_that_left_the_pillar_leaves_the_group() -> None:
    small = f'<group id="db">{SERVER}</group>'
    assert part("resources", live(), wanted(group=small)) == FENCE + small
    assert part("tags", live(), wanted(group=small)) == '<tag id="hadb">{}</tag>'.format(
        "".join(REF.format(name) for name in ("fence-db1", "db", "loc", "server"))
    )


def test_a_record_in_another_order_stays_and_another_tag_too() -> None:
    names = ("server", "fs", "loc", "db", "fence-db1")
    tags = '<tags><tag id="theirs">{}</tag><tag id="hadb">{}</tag></tags>'.format(
        REF.format("fs"), "".join(map(REF.format, names))
    )
    assert merged(live(tags=tags)) == ET.tostring(live(tags=tags), encoding="unicode")


@pytest.mark.parametrize(
    ("constraints", "tag", "users"),
    [
        ('<rsc_location id="l" rsc="fence-db9" node="db1" score="1" />', "", "location l"),
        ('<rsc_colocation id="c" rsc="a" with-rsc="fence-db9" />', "", "colocation c"),
        ('<rsc_order id="o" first="fence-db9" then="a" /><rsc_order id="p" first="a" then="fence-db9" />', "", "order o, order p"),
        ('<rsc_order id="o"><resource_set id="s"><resource_ref id="fence-db9" /></resource_set></rsc_order>', "", "order o"),
        ('<rsc_location id="l" rsc="fence-db9" />', '<tag id="t"><obj_ref id="fence-db9" /></tag>', "location l, tag t"),
    ],
)
def test_what_something_else_still_names_is_not_removed(constraints: str, tag: str, users: str) -> None:
    tags = TAGS.replace('<tag id="hadb">', f'{tag}<tag id="hadb">{REF.format("fence-db9")}')
    root = live(FENCE.replace("db1", "db9") + FENCE + GROUP, constraints + BAN, tags=tags)
    assert refusal(lambda: cib_merge.merge(root, wanted())) == (
        f"fence-db9 left the pillar, but {users} still names it and is not hadb's. What to do: remove that first, for "
        "instance with `crm configure delete`, or `crm resource clear`"
    )


def test_a_group_or_a_member_inside_something_foreign_is_refused() -> None:
    clone = '<clone id="c">{}</clone>'
    assert refusal(lambda: cib_merge.merge(live(FENCE + clone.format(GROUP)), wanted())) == (
        "the group db is inside clone c, which is not hadb's. What to do: take it out"
    )
    other = "What to do: take it out or give it another name"
    assert refusal(lambda: cib_merge.merge(live(clone.format(FENCE) + GROUP), wanted())) == (
        f"fence-db1 is inside clone c, which is not hadb's. {other}"
    )
    theirs = f'<group id="theirs">{FS}</group>'
    assert refusal(lambda: cib_merge.merge(live(f'{theirs}{FENCE}<group id="db">{SERVER}</group>'), wanted())) == (
        f"fs is inside group theirs, which is not hadb's. {other}"
    )
    assert refusal(lambda: cib_merge.merge(live(theirs + FENCE), wanted())) == f"fs is inside group theirs, which is not hadb's. {other}"
