/** Connects a frontend to the service, and calls it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CallOptions, type ChannelOptions, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { HealthCheckResponse_ServingStatus, HealthClient } from "./generated/grpc/health/v1/health";
import { RedemptionServiceClient } from "./generated/temporarypin/v1/redemption_service";
import { TemporaryPinServiceClient } from "./generated/temporarypin/v1/temporary_pin_service";
import { Refused } from "./refused";

const options: ChannelOptions = {
  // The deadlines and the retries, in one file for every frontend.
  "grpc.service_config": readFileSync("deploy/contract/service_config.json", "utf8"),
  "grpc.keepalive_time_ms": 60_000,
  "grpc.keepalive_timeout_ms": 20_000,
};

/**
 * Connects with the certificate of a caller, which decides the channel and the roles. Connect once per process: clients of the
 * same address and options share one connection, which carries many calls at the same time.
 */
export function connect(caller: string) {
  const file = (name: string) => readFileSync(join(process.env.SANDBOX_CERTIFICATES!, name));
  const mutualTls = credentials.createSsl(file("ca.pem"), file(`${caller}.key`), file(`${caller}.pem`));
  const address = process.env.SANDBOX_TLS!.replace("127.0.0.1", "localhost"); // Node wants a name for TLS
  return {
    temporaryPin: new TemporaryPinServiceClient(address, mutualTls, options),
    redemption: new RedemptionServiceClient(address, mutualTls, options),
    health: new HealthClient(address, mutualTls, options),
  };
}

type Method<C, M extends keyof C> = C[M] extends
  (request: infer Q, metadata: Metadata, options: CallOptions, callback: (error: ServiceError | null, answer: infer A) => void)
    => unknown ? { request: Q; answer: A } : never;

/**
 * Calls a method: `await call(client.temporaryPin, "verifyIdentity", request)`. Throws Refused. The language is that of the
 * text for the person in it.
 */
export function call<C, M extends keyof C>(
  client: C, method: M, request: Method<C, M>["request"], language = "en",
): Promise<Method<C, M>["answer"]> {
  const metadata = new Metadata();
  metadata.set("accept-language", language);
  return new Promise((resolve, reject) => {
    const finish = (error: ServiceError | null, answer: Method<C, M>["answer"]) =>
      error ? reject(new Refused(error)) : resolve(answer);
    (client[method] as Function).call(client, request, metadata, {}, finish);
  });
}

/** For the readiness of this process, not before each call. */
export async function isServing(health: HealthClient): Promise<boolean> {
  const answer = await call(health, "check", { service: "temporarypin.v1.TemporaryPinService" });
  return answer.status === HealthCheckResponse_ServingStatus.SERVING;
}
