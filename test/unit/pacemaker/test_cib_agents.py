"""Agents and properties, as the real tools of three releases describe them."""

import pytest

from hadb_core.cib_agents import agents, metadata, properties
from hadb_core.errors import Unreadable


def test_agents_are_names_in_order(real):
    found = agents(real("agents"))
    assert "fence_ipmilan" in found and found == sorted(found)


def test_metadata_tells_parameters_and_advised_timeouts(real):
    found = metadata(real("metadata"))
    assert (found["name"], found["parameters"]["ip"]["required"], found["parameters"]["nic"]["required"]) == (
        "IPaddr2", True, False,
    )  # fmt: skip
    assert found["version"] and found["short"] and not found["long"].startswith((" ", "\n"))
    monitor = next(action for action in found["actions"] if action["name"] == "monitor")
    assert monitor["timeout"] == "20s" and monitor["interval"] == "10s"


def test_a_property_tells_its_words_whatever_the_release_calls_them(real):
    found = properties(real("properties"))
    assert set(found["no-quorum-policy"]["values"]) >= {"stop", "freeze", "ignore", "demote"}
    assert found["maintenance-mode"] == {
        "type": "boolean", "default": "false", "values": [],
        "short": found["maintenance-mode"]["short"], "long": found["maintenance-mode"]["long"],
    }  # fmt: skip
    assert "dc-version" not in found and "required" not in found["maintenance-mode"]


def test_words_that_stand_in_the_description_only_are_found():
    report = (
        '<resource-agent><parameters><parameter name="p"><longdesc>What to do.  Allowed values: stop, only-green</longdesc>'
        '</parameter></parameters></resource-agent>'
    )
    assert properties(report)["p"]["values"] == ["stop", "only-green"]


@pytest.mark.parametrize("reader", [agents, metadata, properties])
@pytest.mark.parametrize("text", ["", "Error\n<x", "<pacemaker-result/>"])
def test_what_is_no_description_is_unreadable_and_never_empty(reader, text):
    with pytest.raises(Unreadable):
        reader(text)


def test_the_line_that_is_not_xml_is_told():
    with pytest.raises(Unreadable) as error:
        agents("<pacemaker-result>\n  <agents>\n  Segmentation fault & more\n</agents></pacemaker-result>")
    assert error.value.line == "Segmentation fault & more"
