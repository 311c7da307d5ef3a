// The same charger with OCPP 2.0.1: npm's ocpp-rpc in strict mode, which checks every message both ways.
//
//   node charger-201.mjs ws://STATION:PASSWORD@HOST:PORT/ws/STATION
//
// Lives the same life as ../ocpp_package_201.py and says the same lines of JSON.

import { asked, boot, CHARGED_WH, clientOf, METER_START_WH, METERED_WH, now, say } from "./common.mjs";

const TRANSACTION = "f0e1d2c3-0002";

const client = clientOf("ocpp2.0.1");
const status = (connectorStatus, evseId = 1) =>
  client.call("StatusNotification", { timestamp: now(), connectorStatus, evseId, connectorId: 1 });

const [started, startAsked] = asked();
const [stopped, stopAsked] = asked();
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

await boot(client, {
  reason: "PowerUp",
  chargingStation: { vendorName: "Vendor", model: "Model", firmwareVersion: "1.0" },
});
await status("Available");

const { idToken, remoteStartId } = await started;
await status("Occupied");
const authorize = await client.call("Authorize", { idToken });
await tell("Started", "CablePluggedIn", undefined, { chargingState: "EVConnected" });
const start = await tell("Updated", "RemoteStart", METER_START_WH, { idToken, info: { remoteStartId } });
say("started", { authorize: authorize.idTokenInfo.status, start: start.idTokenInfo.status });
for (const chargedWh of METERED_WH) await tell("Updated", "MeterValuePeriodic", METER_START_WH + chargedWh);
say("metered");

await stopped;
const info = { stoppedReason: "Remote" };
const end = await tell("Ended", "RemoteStop", METER_START_WH + CHARGED_WH, { info, chargingState: "EVConnected" });
await status("Available");
await client.call("Heartbeat", {});
say("stopped", { total_cost: end.totalCost });
await client.close();
