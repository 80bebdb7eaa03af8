"""What a 2.x station does when it is asked about itself rather than about charging: a table of the commands.

Each is a function of the device, the request and the time; it answers the CALLRESULT's payload, and the CALLs (action,
payload) that follow it, in their order.
"""

from collections.abc import Callable

from csms_emulator.actions import Payload
from csms_emulator.v2 import (
    attributes,
    customer,
    der,
    displays,
    energy,
    monitoring,
    network,
    reports,
    streams,
    tariffs,
    upkeep,
)
from csms_emulator.v2.device import Calls, Device

Command = Callable[[Device, Payload, float], tuple[Payload, Calls]]

COMMANDS: dict[str, Command] = {
    "AFRRSignal": der.afrr_signal,
    "AdjustPeriodicEventStream": streams.adjust_periodic_event_stream,
    "CertificateSigned": upkeep.certificate_signed,
    "ChangeTransactionTariff": tariffs.change_transaction_tariff,
    "ClearDERControl": der.clear_der_control,
    "ClearDisplayMessage": displays.clear_display_message,
    "ClearTariffs": tariffs.clear_tariffs,
    "ClearVariableMonitoring": monitoring.clear_variable_monitoring,
    "CostUpdated": customer.cost_updated,
    "DataTransfer": customer.data_transfer,
    "DeleteCertificate": upkeep.delete_certificate,
    "GetBaseReport": reports.get_base_report,
    "GetDERControl": der.get_der_control,
    "GetDisplayMessages": displays.get_display_messages,
    "GetInstalledCertificateIds": upkeep.get_installed_certificate_ids,
    "GetMonitoringReport": monitoring.get_monitoring_report,
    "GetPeriodicEventStream": streams.get_periodic_event_stream,
    "GetReport": reports.get_report,
    "GetTariffs": tariffs.get_tariffs,
    "GetVariables": attributes.get_variables,
    "InstallCertificate": upkeep.install_certificate,
    "NotifyAllowedEnergyTransfer": energy.notify_allowed_energy_transfer,
    "NotifyWebPaymentStarted": customer.notify_web_payment_started,
    "RequestBatterySwap": customer.request_battery_swap,
    "SetDERControl": der.set_der_control,
    "SetDefaultTariff": tariffs.set_default_tariff,
    "SetDisplayMessage": displays.set_display_message,
    "SetMonitoringBase": monitoring.set_monitoring_base,
    "SetMonitoringLevel": monitoring.set_monitoring_level,
    "SetNetworkProfile": network.set_network_profile,
    "SetVariableMonitoring": monitoring.set_variable_monitoring,
    "SetVariables": attributes.set_variables,
}
