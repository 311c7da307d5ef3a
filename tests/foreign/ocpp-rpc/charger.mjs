// A charger nobody here wrote: npm's ocpp-rpc in strict mode, which checks every message both ways against the schemas.
//
//   node charger.mjs ws://STATION:PASSWORD@HOST:PORT/ws/STATION
//
// Lives the same life as ../ocpp_package.py and says the same lines of JSON. A message the schemas refuse, sent or
// received, ends it with exit code 1.

import { createRPCError, RPCClient } from "ocpp-rpc";

const METER_START_WH = 1000;
const CHARGED_WH = 4000;

const url = new URL(process.argv[2]);
const at = url.pathname.lastIndexOf("/");
const client = new RPCClient({
  endpoint: `${url.protocol}//${url.host}${url.pathname.slice(0, at)}`,
  identity: decodeURIComponent(url.pathname.slice(at + 1)),
  password: decodeURIComponent(url.password) || undefined,
  protocols: ["ocpp1.6"],
  strictMode: true,
  reconnect: false,
});

const say = (event, facts = {}) => console.log(JSON.stringify({ event, ...facts }));
const now = () => new Date().toISOString();
const status = (status, connectorId = 1) =>
  client.call("StatusNotification", { connectorId, errorCode: "NoError", status, timestamp: now() });

client.on("strictValidationFailure", ({ error }) => {
  console.error("not what the schemas say:", error.message, JSON.stringify(error.details));
  process.exit(1);
});

let transactionId;
let startAsked;
let stopAsked;
const started = new Promise((resolve) => (startAsked = resolve));
const stopped = new Promise((resolve) => (stopAsked = resolve));

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
client.handle(({ method }) => {
  throw createRPCError("NotImplemented", method);
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

await client.connect();
say("connected", { subprotocol: client.protocol });
const boot = await client.call("BootNotification", {
  chargePointVendor: "Vendor",
  chargePointModel: "Model",
  firmwareVersion: "1.0",
});
say("booted", { status: boot.status, interval: boot.interval });
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
for (const chargedWh of [1000, 2000, 3000]) await meter(METER_START_WH + chargedWh);
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
