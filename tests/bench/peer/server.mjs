// better-auth as a peer of the service: sends codes to phone numbers, by its phone-number plugin. Codes are kept in Postgres
// and Redis, its limits in Redis, one process for each core. See docs/performance.md.

import cluster from "node:cluster";
import http from "node:http";
import { availableParallelism } from "node:os";

import { redisStorage } from "@better-auth/redis-storage";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { phoneNumber } from "better-auth/plugins";
import { Redis } from "ioredis";
import pg from "pg";

const { PORT, DATABASE_URL, REDIS_URL, GATEWAY_URL, GATEWAY_TOKEN } = process.env;

// Connections last, also while nothing is sent.
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 16, idleTimeoutMillis: 0 });
const agent = new http.Agent({ keepAlive: true });

/** Hands a code to the gateway, as the service does (GatewayAPI's `POST /rest/mtsms`), and waits until it is accepted. */
function sendOTP({ phoneNumber, code }) {
  const message = { sender: "bench", message: `Your code is ${code}`, recipients: [{ msisdn: phoneNumber.slice(1) }] };
  const headers = { "content-type": "application/json", authorization: `Token ${GATEWAY_TOKEN}` };
  return new Promise((resolve, reject) => {
    const request = http.request(GATEWAY_URL, { method: "POST", agent, headers }, (response) => {
      const { statusCode } = response.resume();
      response.on("end", () => (statusCode === 200 ? resolve() : reject(new Error(`the gateway answers ${statusCode}`))));
    });
    request.on("error", reject).end(JSON.stringify(message));
  });
}

const auth = betterAuth({
  baseURL: `http://127.0.0.1:${PORT}`,
  secret: "signs sessions, of which the bench opens none",
  database: pool,
  secondaryStorage: redisStorage({ client: new Redis(REDIS_URL) }),
  verification: { storeInDatabase: true }, // codes in Postgres too, where a commit makes them durable
  rateLimit: { enabled: true, storage: "secondary-storage" },
  advanced: { ipAddress: { ipAddressHeaders: ["x-forwarded-for"] } },
  plugins: [phoneNumber({ sendOTP })],
  telemetry: { enabled: false },
});

if (cluster.isPrimary) {
  const { runMigrations } = await getMigrations(auth.options);
  await runMigrations();
  for (let core = 0; core < availableParallelism(); core++) cluster.fork();
  cluster.on("exit", () => process.exit(1)); // half a peer is none
} else {
  const server = http.createServer(toNodeHandler(auth));
  server.keepAliveTimeout = 0;
  server.listen(PORT, "127.0.0.1");
}
