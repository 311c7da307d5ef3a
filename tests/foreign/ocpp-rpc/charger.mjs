// A charger nobody here wrote: npm's ocpp-rpc in strict mode, which checks every message both ways against the schemas.
//
//   node charger.mjs ws://STATION:PASSWORD@HOST:PORT/ws/STATION
//
// Lives the same life as ../ocpp_package.py and says the same lines of JSON.

import { asked, boot, CHARGED_WH, clientOf, METER_START_WH, METERED_WH, now, say } from "./common.mjs";

const client = clientOf("ocpp1.6");
const status = (status, connectorId = 1) =>
  client.call("StatusNotification", { connectorId, errorCode: "NoError", status, timestamp: now() });

let transactionId;
const [started, startAsked] = asked();
const [stopped, stopAsked] = asked();

client.handle("ChangeConfiguration", ({ params }) => {
  say("ChangeConfiguration", params);
  return { status: params.value.includes("SoC") ? "Rejected" : "Accepted" };
});
client.handle("TriggerMessage", ({ params }) => {
  say("TriggerMessage", { message: params.requestedMessage, connector_id: params.connectorId ?? 0 });
  if (params.requestedMessage === "StatusNotification") setImmediate(() => status("Available", params.connectorId));
  return { status: "Accepted" };
});
client.handle("RemoteStartTransaction", ({ params }) => {
  startAsked(params.idTag);
  return { status: "Accepted" };
});
client.handle("RemoteStopTransaction", ({ params }) => {
  if (params.transactionId !== transactionId) return { status: "Rejected" };
  stopAsked();
  return { status: "Accepted" };
});

const meter = (registerWh) =>
  client.call("MeterValues", {
    connectorId: 1,
    transactionId,
    meterValue: [
      {
        timestamp: now(),
        sampledValue: [
          { value: String(registerWh / 1000), measurand: "Energy.Active.Import.Register", unit: "kWh" },
          { value: "11.0", measurand: "Power.Active.Import", unit: "kW" },
        ],
      },
    ],
  });

await boot(client, {
  chargePointVendor: "Vendor",
  chargePointModel: "Model",
  firmwareVersion: "1.0",
});
await status("Available", 0);
await status("Available");

const idTag = await started;
await status("Preparing");
const authorize = await client.call("Authorize", { idTag });
const start = await client.call("StartTransaction", {
  connectorId: 1,
  idTag,
  meterStart: METER_START_WH,
  timestamp: now(),
});
transactionId = start.transactionId;
say("started", { authorize: authorize.idTagInfo.status, start: start.idTagInfo.status });
await status("Charging");
for (const chargedWh of METERED_WH) await meter(METER_START_WH + chargedWh);
say("metered");

await stopped;
await client.call("StopTransaction", {
  transactionId,
  meterStop: METER_START_WH + CHARGED_WH,
  timestamp: now(),
  reason: "Remote",
});
await status("Finishing");
await client.call("Heartbeat", {});
say("stopped");
await client.close();
