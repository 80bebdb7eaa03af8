"""An endpoint for the webhook of csms, to begin with: it lets everybody charge. Run it with `python app.py`."""

import hmac
import os
import time
from itertools import count

import uvicorn
from fastapi import FastAPI, HTTPException, Request

SECRET = os.environ.get("WEBHOOK_SECRET", "")
OK, NO = {"status": "Accepted"}, {"status": "Rejected"}
app = FastAPI()
ids = count(int(time.time()))  # yours come from a database: they must not repeat after a restart
started: dict[str, int] = {}  # by delivery id, for a message that comes twice: a table with a unique key


@app.post("/ocpp")
async def ocpp(request: Request) -> dict:
    """One message of a charging station, and what the station is answered."""
    if SECRET and not is_genuine(request.headers, await request.body()):
        raise HTTPException(401, "The signature is missing, wrong or old.")
    message = await request.json()
    late = " (late)" if "stored" in message else ""
    print(f"{message['identity']} {message['action']}{late} {message['payload']}", flush=True)
    # Told afterwards: the station has its answer, and this is what it was told.
    return {"payload": message.get("answered") or answer(message, request.headers.get("x-ocpp-delivery", ""))}


def answer(message: dict, delivery: str) -> dict:
    """The payload of the answer."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    match message["action"]:
        case "BootNotification":
            return {"currentTime": now, "interval": 300} | OK
        case "Heartbeat":
            return {"currentTime": now}
        case "Authorize":
            return {"idTagInfo" if message["version"] < "ocpp2" else "idTokenInfo": OK}
        case "StartTransaction":
            return {"transactionId": started.setdefault(delivery, next(ids)), "idTagInfo": OK}
        case "TransactionEvent" if "idToken" in message["payload"]:
            return {"idTokenInfo": OK}
        case "DataTransfer" | "SignCertificate" | "NotifyEVChargingNeeds" | "NotifyEVChargingSchedule":
            return NO
        case _:  # StopTransaction, MeterValues, StatusNotification and the other notifications
            return {}


def is_genuine(headers, body: bytes) -> bool:
    """Whether csms signed this within the last five minutes, with our secret."""
    timestamp, signature = headers.get("x-ocpp-timestamp", ""), headers.get("x-ocpp-signature", "")
    expected = "sha256=" + hmac.new(SECRET.encode(), timestamp.encode() + b"." + body, "sha256").hexdigest()
    genuine = hmac.compare_digest(expected.encode(), signature.encode())
    return genuine and abs(time.time() - int(timestamp)) < 300


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8080")), log_level="warning")
