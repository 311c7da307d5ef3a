// The Node baseline: npm's ocpp-rpc in strict mode, which checks every message both ways, and one statement a message.
//
//   node server.mjs POSTGRES_URL
//
// Stores what peer_asyncio.py stores and answers after the commit; prints its port, and ends on SIGTERM.

import pg from "pg";
import { RPCServer } from "ocpp-rpc";

const POOL_SIZE = 12;
const INSERT = `INSERT INTO meter_values (station_id, connector_id, wire_transaction_id, measured_at, received_at,
  energy_wh, power_w, current_a, voltage_v, soc_percent, sampled_values)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`;
const BOOT = `INSERT INTO stations VALUES ($1, $2, $3, $4) ON CONFLICT (station_id) DO UPDATE
  SET vendor = excluded.vendor, model = excluded.model, booted_at = excluded.booted_at`;
const STATUS = `INSERT INTO station_status VALUES ($1, $2, $3, $4, $5) ON CONFLICT (station_id, connector_id) DO UPDATE
  SET status = excluded.status, error_code = excluded.error_code, reported_at = excluded.reported_at`;
const START = `INSERT INTO transactions (station_id, connector_id, id_tag, meter_start, started_at)
  VALUES ($1, $2, $3, $4, $5) RETURNING id`;
const STOP = `UPDATE transactions SET meter_stop = $2, stopped_at = $3 WHERE id = $1`;

const given = new URL(process.argv[2]).searchParams;
const pool = new pg.Pool({
  host: given.get("host"),
  port: Number(given.get("port") ?? 5432),
  user: given.get("user"),
  password: given.get("password") ?? undefined,
  database: given.get("dbname"),
  max: POOL_SIZE,
});
// A named statement is prepared once for each connection, as the drivers of the other two servers do by themselves.
const query = (name, text, ...values) => pool.query({ name, text, values });
const now = () => new Date().toISOString();

const server = new RPCServer({ protocols: ["ocpp1.6"], strictMode: true, pingIntervalMs: 2 ** 31 - 1 });
server.on("client", (client) => {
  const id = client.identity;
  client.handle("BootNotification", async ({ params }) => {
    await query("boot", BOOT, id, params.chargePointVendor, params.chargePointModel, now());
    return { currentTime: now(), interval: 60, status: "Accepted" };
  });
  client.handle("Heartbeat", () => ({ currentTime: now() }));
  client.handle("StatusNotification", async ({ params }) => {
    await query("status", STATUS, id, params.connectorId, params.status, params.errorCode, now());
    return {};
  });
  client.handle("Authorize", () => ({ idTagInfo: { status: "Accepted" } }));
  client.handle("StartTransaction", async ({ params }) => {
    const { connectorId, idTag, meterStart, timestamp } = params;
    const stored = await query("start", START, id, connectorId, idTag, meterStart, timestamp);
    return { transactionId: stored.rows[0].id, idTagInfo: { status: "Accepted" } };
  });
  client.handle("StopTransaction", async ({ params }) => {
    await query("stop", STOP, params.transactionId, params.meterStop, params.timestamp);
    return {};
  });
  client.handle("MeterValues", async ({ params }) => {
    const last = params.meterValue.at(-1);
    const sampled = Object.fromEntries(last.sampledValue.map((each) => [each.measurand, each.value]));
    await query("meter", INSERT, id, params.connectorId, String(params.transactionId), last.timestamp, now(),
      sampled["Energy.Active.Import.Register"], sampled["Power.Active.Import"], sampled["Current.Import"],
      sampled["Voltage"], sampled["SoC"], JSON.stringify(params.meterValue));
    return {};
  });
});

const http = await server.listen(0, "127.0.0.1");
console.log(http.address().port);
process.on("SIGTERM", () => process.exit(0));
