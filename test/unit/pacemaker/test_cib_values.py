import pytest

from hadb_core import cib_values as values


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("timeout", "60", "60s"),
        ("timeout", "1min", "60s"),
        ("interval", "0", "0ms"),
        ("cluster-recheck-interval", "5m", "300s"),
        ("stonith-enabled", "yes", "true"),
        ("fencing-enabled", "On", "1"),
        ("score", "-inf", "-INFINITY"),
        ("score", "+INFINITY", "9999999"),
        ("resource-stickiness", "1000", "+1000"),
    ],
)
def test_equal_meaning_has_one_spelling(name, one, other):
    assert values.canonical(name, one) == values.canonical(name, other)


@pytest.mark.parametrize(
    ("name", "one", "other"), [("timeout", "60", "61"), ("timeout", "60s", "60ms"), ("ip", "1", "true")]
)
def test_different_meaning_stays_different(name, one, other):
    assert values.canonical(name, one) != values.canonical(name, other)


@pytest.mark.parametrize(
    ("name", "text"), [("timeout", "soon"), ("score", "much"), ("stonith-enabled", "maybe")]
)
def test_what_does_not_parse_is_kept_literally(name, text):
    assert values.canonical(name, text) == text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("stonith-enable", "true", "no cluster property 'stonith-enable'"),
        ("no-quorum-policy", "stopp", "must be one of"),
        ("stonith-timeout", "soon", "does not read as a duration"),
        ("maintenance-mode", "maybe", "does not read as a bool"),
        ("node-health-red", "much", "does not read as a score"),
        ("batch-limit", "many", "does not read as a int"),
    ],
)
def test_names_and_values_that_pacemaker_would_ignore_are_faults(name, value, words):
    assert words in values.property_fault(name, value)


def test_right_properties_are_no_fault():
    assert not values.property_fault("shutdown-lock", "true")
    assert not values.property_fault("fencing-timeout", "60s")
    assert values.property_fault("no-quorum-policy", "freeze") == ""
    assert values.property_fault("batch-limit", " -5 ") == ""


def test_the_words_that_a_property_may_be_are_told():
    assert values.property_fault("fence-reaction", "reboot") == "fence-reaction is 'reboot', but must be one of stop, panic"


@pytest.mark.parametrize(("text", "score"), [
    ("-5", -5), ("+5", 5), ("-INFINITY", -1000000), ("inf", 1000000), ("-2000000", -1000000), ("1000001", 1000000), ("5x", None)])
def test_a_score_has_its_sign_and_is_cut_at_infinity(text, score):
    assert values.score(text) == score


@pytest.mark.parametrize(("text", "truth"), [(" Off ", False), ("n", False), ("Y", True), ("", None), ("2", None)])
def test_a_boolean_is_true_false_or_none(text, truth):
    assert values.boolean(text) is truth


def test_what_has_no_known_kind_is_a_text():
    assert values.kind_of("ip") == "text"


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("", "stonith-enabled"),
        ("2.1.5-a3f44794f94", "stonith-enabled"),
        ("3.0.1-3.0.1", "stonith-enabled"),
        ("3.0.2", "fencing-enabled"),
        ("3.1.0-1", "fencing-enabled"),
    ],
)
def test_fencing_properties_are_named_as_the_running_version_names_them(version, name):
    assert values.property_name("stonith-enabled", version) == name


def test_a_property_that_was_not_renamed_has_one_name_in_every_version():
    assert values.property_name("batch-limit", "3.0.2") == values.property_name("batch-limit", "2.1.5") == "batch-limit"
