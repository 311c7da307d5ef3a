// What the chargers of both versions share: npm's ocpp-rpc in strict mode, which checks every message both ways against
// the schemas. One that they refuse, sent or received, ends the program with exit code 1.

import { createRPCError, RPCClient } from "ocpp-rpc";

export const METER_START_WH = 1000;
export const CHARGED_WH = 4000;
export const METERED_WH = [1000, 2000, 3000];

export const say = (event, facts = {}) => console.log(JSON.stringify({ event, ...facts }));
export const now = () => new Date().toISOString();

/** A promise, and what settles it: the start or the stop that is asked for. */
export const asked = () => {
  let settle;
  const promise = new Promise((resolve) => (settle = resolve));
  return [promise, settle];
};

/** The client for the URL of the command line, ws://STATION:PASSWORD@HOST:PORT/ws/STATION. */
export const clientOf = (protocol) => {
  const url = new URL(process.argv[2]);
  const at = url.pathname.lastIndexOf("/");
  const client = new RPCClient({
    endpoint: `${url.protocol}//${url.host}${url.pathname.slice(0, at)}`,
    identity: decodeURIComponent(url.pathname.slice(at + 1)),
    password: decodeURIComponent(url.password) || undefined,
    protocols: [protocol],
    strictMode: true,
    reconnect: false,
  });
  client.on("strictValidationFailure", ({ error }) => {
    console.error("not what the schemas say:", error.message, JSON.stringify(error.details));
    process.exit(1);
  });
  client.handle(({ method }) => {
    throw createRPCError("NotImplemented", method);
  });
  return client;
};

/** Connects and boots with this payload, and says both. */
export const boot = async (client, payload) => {
  await client.connect();
  say("connected", { subprotocol: client.protocol });
  const answer = await client.call("BootNotification", payload);
  say("booted", { status: answer.status, interval: answer.interval });
};
