"""The SOAP gateway: OCPP 1.5 and 1.6 over SOAP, both directions."""
