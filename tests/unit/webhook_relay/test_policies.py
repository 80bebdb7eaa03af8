"""The policy table: what the catalog and the schemas say, and what an operator may change."""

from csms_webhook_relay import policies

BUILTIN = {"Authorize", "BootNotification", "Heartbeat", "StartTransaction"}
ERROR = {
    "Get15118EVCertificate", "GetCertificateChainStatus", "GetCertificateStatus", "NotifyEVChargingNeeds",
    "NotifyEVChargingSchedule", "OpenPeriodicEventStream", "PullDynamicScheduleUpdate", "SignCertificate",
    "VatNumberValidation",
}  # fmt: skip
SPOOL = {
    "BatterySwap", "ClearedChargingLimit", "ClosePeriodicEventStream", "DiagnosticsStatusNotification",
    "FirmwareStatusNotification", "LogStatusNotification", "MeterValues", "NotifyChargingLimit",
    "NotifyCustomerInformation", "NotifyDERAlarm", "NotifyDERStartStop", "NotifyDisplayMessages", "NotifyEvent",
    "NotifyMonitoringReport", "NotifyPeriodicEventStream", "NotifyPriorityCharging", "NotifyReport", "NotifySettlement",
    "PublishFirmwareStatusNotification", "ReportChargingProfiles", "ReportDERControl", "ReservationStatusUpdate",
    "SecurityEventNotification", "SignedFirmwareStatusNotification", "StatusNotification", "StopTransaction",
    "TransactionEvent",
}  # fmt: skip


def test_every_action_of_stations_has_a_policy() -> None:
    expected = {
        **dict.fromkeys(SPOOL, "spool"),
        **dict.fromkeys(BUILTIN, "builtin"),
        **dict.fromkeys(ERROR, "error"),
        "DataTransfer": "reject",
    }

    assert policies.defaults() == expected


def test_an_operator_overrides_one_action() -> None:
    assert policies.table({"Authorize": "accept"}) == policies.defaults() | {"Authorize": "accept"}


def test_another_default_leaves_the_answer_to_messages_that_may_not_be_refused() -> None:
    table = policies.table({"MeterValues": "accept"}, "error")

    kept = {action: policy for action, policy in table.items() if policy != "error"}
    assert kept == {"StopTransaction": "spool", "TransactionEvent": "spool", "MeterValues": "accept"}


def test_another_positive_default_is_for_all() -> None:
    assert set(policies.table({}, "accept").values()) == {"accept"}
