"""What an agent says about itself, every field of it, and what is said when a tool says nothing."""

from __future__ import annotations

import pytest

from hadb_core.cib_agents import agents, metadata, properties
from hadb_core.errors import Unreadable

NEW = """<resource-agent name="lvm" version="1.4" shortdesc="Activates a VG"><longdesc>
    Activates a volume group.

    On one node.
  </longdesc><parameters>
  <parameter name="vg" unique="1" required="1"><shortdesc> Name </shortdesc><longdesc>The group.</longdesc>
    <content type="string" default="db"/></parameter>
  <parameter name="mode" unique="0"><content type="select"><option value="a"/><option/></content></parameter>
  <parameter/>
 </parameters><actions><action name="monitor" timeout="40s"/></actions></resource-agent>"""
OLD = """<resource-agent><version>1.0</version><shortdesc>An old one</shortdesc><parameters/></resource-agent>"""


def test_everything_that_an_agent_says_is_returned():
    nothing = {"required": False, "unique": False, "type": "", "default": "", "values": [], "short": "", "long": ""}
    assert metadata(NEW) == {
        "name": "lvm", "version": "1.4", "short": "Activates a VG", "long": "Activates a volume group.\n\nOn one node.",
        "parameters": {
            "vg": {
                "required": True, "unique": True, "type": "string", "default": "db", "values": [], "short": "Name",
                "long": "The group.",
            },
            "mode": nothing | {"type": "select", "values": ["a", ""]},
            "": nothing,
        },
        "actions": [{"name": "monitor", "timeout": "40s"}],
    }  # fmt: skip


def test_an_agent_that_tells_version_and_description_in_elements_is_read_too():
    assert metadata(OLD) == {
        "name": "", "version": "1.0", "short": "An old one", "long": "", "parameters": {}, "actions": [],
    }  # fmt: skip


def test_a_property_says_all_but_what_only_a_parameter_has_and_generated_ones_are_left_out():
    report = """<pacemaker-result><parameters><parameter name="limit" required="1"><shortdesc>Short</shortdesc>
      <longdesc>Allowed values: a, b</longdesc><content type="integer" default="3"/></parameter>
      <parameter name="dc-version" generated="1"/><parameter generated="0"/></parameters></pacemaker-result>"""
    assert properties(report) == {
        "limit": {
            "type": "integer", "default": "3", "values": ["a", "b"], "short": "Short", "long": "Allowed values: a, b",
        },
        "": {"type": "", "default": "", "values": [], "short": "", "long": ""},
    }  # fmt: skip


def test_an_agent_without_a_name_is_told_as_one():
    assert agents("<r><agents><agent>b</agent><agent/></agents></r>") == ["", "b"]


@pytest.mark.parametrize(
    ("reader", "tool", "part"),
    [
        (agents, "crm_resource", "agents"),
        (metadata, "crm_resource --show-metadata", "parameters"),
        (properties, "crm_attribute --list-options=cluster", "parameters"),
        (lambda text: properties(text, "pacemaker-schedulerd metadata"), "pacemaker-schedulerd metadata", "parameters"),
    ],
)
def test_the_tool_that_did_not_answer_is_named(reader, tool, part):
    with pytest.raises(Unreadable) as error:
        reader("<pacemaker-result/>")
    assert str(error.value) == f"cannot read the output of {tool}: its report has no <{part}>"
    with pytest.raises(Unreadable) as error:
        reader("nothing")
    assert str(error.value) == (
        f"cannot read the output of {tool}: not XML: syntax error: line 1, column 0 (line: 'nothing')"
    )
