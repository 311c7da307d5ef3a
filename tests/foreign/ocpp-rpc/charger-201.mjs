// The same charger with OCPP 2.0.1: npm's ocpp-rpc in strict mode, which checks every message both ways.
//
//   node charger-201.mjs ws://STATION:PASSWORD@HOST:PORT/ws/STATION
//
// Lives the same life as ../ocpp_package_201.py and says the same lines of JSON. A message the schemas refuse, sent or
// received, ends it with exit code 1.

import { createRPCError, RPCClient } from "ocpp-rpc";

const METER_START_WH = 1000;
const CHARGED_WH = 4000;
const TRANSACTION = "f0e1d2c3-0002";

const url = new URL(process.argv[2]);
const at = url.pathname.lastIndexOf("/");
const client = new RPCClient({
  endpoint: `${url.protocol}//${url.host}${url.pathname.slice(0, at)}`,
  identity: decodeURIComponent(url.pathname.slice(at + 1)),
  password: decodeURIComponent(url.password) || undefined,
  protocols: ["ocpp2.0.1"],
  strictMode: true,
  reconnect: false,
});

const say = (event, facts = {}) => console.log(JSON.stringify({ event, ...facts }));
const now = () => new Date().toISOString();
const status = (connectorStatus, evseId = 1) =>
  client.call("StatusNotification", { timestamp: now(), connectorStatus, evseId, connectorId: 1 });

client.on("strictValidationFailure", ({ error }) => {
  console.error("not what the schemas say:", error.message, JSON.stringify(error.details));
  process.exit(1);
});

let startAsked;
let stopAsked;
const started = new Promise((resolve) => (startAsked = resolve));
const stopped = new Promise((resolve) => (stopAsked = resolve));
const named = ({ component, variable }) => ({ component, variable });

client.handle("SetVariables", ({ params }) => ({
  setVariableResult: params.setVariableData.map((each) => {
    say("SetVariables", { variable: each.variable.name, value: each.attributeValue });
    return { attributeStatus: each.attributeValue.includes("SoC") ? "Rejected" : "Accepted", ...named(each) };
  }),
}));
client.handle("GetVariables", ({ params }) => ({
  getVariableResult: params.getVariableData.map((each) => ({ attributeStatus: "UnknownVariable", ...named(each) })),
}));
client.handle("GetBaseReport", () => ({ status: "NotSupported" }));
client.handle("TriggerMessage", ({ params }) => {
  const evseId = params.evse?.id ?? 0;
  say("TriggerMessage", { message: params.requestedMessage, connector_id: evseId });
  if (params.requestedMessage === "StatusNotification") setImmediate(() => status("Available", evseId));
  return { status: "Accepted" };
});
client.handle("RequestStartTransaction", ({ params }) => {
  startAsked(params);
  return { status: "Accepted" };
});
client.handle("RequestStopTransaction", ({ params }) => {
  if (params.transactionId !== TRANSACTION) return { status: "Rejected" };
  stopAsked();
  return { status: "Accepted" };
});
client.handle(({ method }) => {
  throw createRPCError("NotImplemented", method);
});

let seqNo = 0;
const tell = (eventType, triggerReason, registerWh, { info = {}, chargingState = "Charging", ...rest } = {}) =>
  client.call("TransactionEvent", {
    eventType,
    timestamp: now(),
    triggerReason,
    seqNo: seqNo++,
    transactionInfo: { transactionId: TRANSACTION, chargingState, ...info },
    evse: { id: 1, connectorId: 1 },
    ...(registerWh !== undefined && {
      meterValue: [
        {
          timestamp: now(),
          sampledValue: [
            {
              value: registerWh / 1000,
              measurand: "Energy.Active.Import.Register",
              unitOfMeasure: { unit: "kWh" },
            },
          ],
        },
      ],
    }),
    ...rest,
  });

await client.connect();
say("connected", { subprotocol: client.protocol });
const boot = await client.call("BootNotification", {
  reason: "PowerUp",
  chargingStation: { vendorName: "Vendor", model: "Model", firmwareVersion: "1.0" },
});
say("booted", { status: boot.status, interval: boot.interval });
await status("Available");

const { idToken, remoteStartId } = await started;
await status("Occupied");
const authorize = await client.call("Authorize", { idToken });
await tell("Started", "CablePluggedIn", undefined, { chargingState: "EVConnected" });
const start = await tell("Updated", "RemoteStart", METER_START_WH, { idToken, info: { remoteStartId } });
say("started", { authorize: authorize.idTokenInfo.status, start: start.idTokenInfo.status });
for (const chargedWh of [1000, 2000, 3000]) await tell("Updated", "MeterValuePeriodic", METER_START_WH + chargedWh);
say("metered");

await stopped;
const info = { stoppedReason: "Remote" };
const end = await tell("Ended", "RemoteStop", METER_START_WH + CHARGED_WH, { info, chargingState: "EVConnected" });
await status("Available");
await client.call("Heartbeat", {});
say("stopped", { total_cost: end.totalCost });
await client.close();
