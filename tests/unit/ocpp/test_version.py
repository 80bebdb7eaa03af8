"""The dialects, and the choice of the subprotocol."""

import pytest

from csms_ocpp.version import DIALECTS, SUBPROTOCOLS, Version, select_subprotocol


def test_every_version_has_its_dialect():
    assert {version: dialect.version for version, dialect in DIALECTS.items()} == {v: v for v in Version}


def test_the_json_versions_are_offered_as_subprotocols_and_1_5_is_not():
    assert SUBPROTOCOLS == {"ocpp1.6": Version.V1_6, "ocpp2.0.1": Version.V2_0_1, "ocpp2.1": Version.V2_1}


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["ocpp1.6"], Version.V1_6),
        (["ocpp2.0.1", "ocpp1.6"], Version.V2_0_1),
        (["ocpp1.6", "ocpp2.1"], Version.V1_6),
        (["ocpp2.0", "ocpp9.9", "ocpp2.1"], Version.V2_1),
        (["OCPP1.6"], None),
        (["ocpp1.5"], None),
        ([], None),
    ],
)
def test_the_station_s_first_subprotocol_that_we_speak_wins(offered, chosen):
    assert select_subprotocol(offered) is chosen


def test_each_version_spells_its_error_codes_as_its_specification_does():
    spelling = {v: (d.occurrence_violation, d.formation_violation) for v, d in DIALECTS.items()}

    assert spelling == {
        Version.V1_5: ("OccurenceConstraintViolation", "FormationViolation"),
        Version.V1_6: ("OccurenceConstraintViolation", "FormationViolation"),
        Version.V2_0_1: ("OccurrenceConstraintViolation", "FormatViolation"),
        Version.V2_1: ("OccurrenceConstraintViolation", "FormatViolation"),
    }


def test_only_2_1_has_frames_five_and_six():
    assert {v: set(d.frame_types) for v, d in DIALECTS.items()} == {
        Version.V1_5: {2, 3, 4},
        Version.V1_6: {2, 3, 4},
        Version.V2_0_1: {2, 3, 4},
        Version.V2_1: {2, 3, 4, 5, 6},
    }
