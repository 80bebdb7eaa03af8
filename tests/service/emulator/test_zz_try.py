import asyncio, json
from csms_emulator.testing import Station
from websockets.asyncio.server import serve
async def test_x():
    log=[]
    async def handle(ws):
        try:
            async for m in ws:
                log.append(m)
                d=json.loads(m)
                if d[0]==2:
                    await ws.send(json.dumps([3,d[1],{"BootNotification":{"currentTime":"2026-01-01T00:00:00Z","interval":300,"status":"Accepted"}}.get(d[2],{})]))
                    if d[2]=="StatusNotification" and len(log)==3:
                        await ws.send(json.dumps([2,"R","Reset",{"type":"Hard"}]))
        finally: log.append(("closed",ws.close_code))
    async with serve(handle,"127.0.0.1",0,subprotocols=["ocpp1.6"]) as s:
      port=s.sockets[0].getsockname()[1]
      async with Station("CP-1", url=f"ws://127.0.0.1:{port}", version="1.6", pace=600.0) as station:
        await asyncio.sleep(3)
    for l in log: print(l)
