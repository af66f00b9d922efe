// Makes gRPC calls with generated stubs. Requests and answers are JSON.

import * as grpc from "@grpc/grpc-js";
import { create, createRegistry, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";

const { file_temporarypin_v1_temporary_pin_service: channels } = await generated("temporarypin/v1/temporary_pin_service_pb.js");
const { file_temporarypin_v1_redemption_service: redemption } = await generated("temporarypin/v1/redemption_service_pb.js");
const { file_temporarypin_v1_operator_service: operator } = await generated("temporarypin/v1/operator_service_pb.js");
const { file_grpc_health_v1_health: health } = await generated("grpc/health/v1/health_pb.js");
const { StatusSchema } = await generated("google/rpc/status_pb.js");
const { file_google_rpc_error_details: details } = await generated("google/rpc/error_details_pb.js");
const { ServerReflectionRequestSchema, ServerReflectionResponseSchema } = await generated("grpc_reflection/v1alpha/reflection_pb.js");

const DEFAULT_DEADLINE = 20_000; // milliseconds
const registry = createRegistry(channels, redemption, operator, health, details);
const SHOWN = { registry, useProtoFieldName: true, alwaysEmitImplicit: true };

// The stubs are made by deploy/local/contract.
async function generated(file) {
  return import(`${process.env.CONTRACT_STUBS}/${file}`);
}

/** The service under test. */
export class Target {
  constructor(address) {
    this.client = new grpc.Client(address, grpc.credentials.createInsecure());
  }

  /** Makes the call of a step. Returns `{answer}` or `{error}`. */
  call(step) {
    const [, name, method] = step.call.match(/^(.*)\/([^/]*)$/);
    const service = name.includes(".") ? name : `temporarypin.v1.${name}`;
    const rpc = registry.getService(service)?.methods.find((rpc) => rpc.name === method);
    const metadata = new grpc.Metadata();
    for (const [key, value] of Object.entries(step.metadata ?? {})) metadata.set(key, value);
    if (step.caller) metadata.set("x-sandbox-caller", step.caller);
    const options = { deadline: new Date(Date.now() + (step.deadline_ms ?? DEFAULT_DEADLINE)) };
    const bytes = (value) => value;
    return new Promise((resolve, reject) => {
      const done = (error, answer) => {
        try {
          resolve(error ? { error: described(error) } : { answer: toJson(rpc.output, fromBinary(rpc.output, answer), SHOWN) });
        } catch (problem) {
          reject(problem);
        }
      };
      this.client.makeUnaryRequest(`/${service}/${method}`, bytes, bytes, body(step, rpc), metadata, options, done);
    });
  }

  /** The names of the services that reflection lists. */
  services() {
    const path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
    const encode = (message) => Buffer.from(toBinary(ServerReflectionRequestSchema, message));
    const decode = (answer) => fromBinary(ServerReflectionResponseSchema, answer);
    return new Promise((resolve, reject) => {
      const deadline = new Date(Date.now() + DEFAULT_DEADLINE);
      const stream = this.client.makeBidiStreamRequest(path, encode, decode, { deadline });
      stream.on("error", reject);
      stream.on("data", ({ messageResponse }) => {
        stream.end();
        resolve(messageResponse.value.service.map((service) => service.name).sort());
      });
      const messageRequest = { case: "listServices", value: "" };
      stream.write(create(ServerReflectionRequestSchema, { messageRequest }));
    });
  }
}

/** The bytes of the request, changed as `body_hex` and `append_hex` of the step say. */
function body(step, rpc) {
  const message =
    rpc && step.body_hex === undefined
      ? toBinary(rpc.input, fromJson(rpc.input, step.request ?? {}, { registry }))
      : Buffer.from(step.body_hex ?? "", "hex");
  return Buffer.concat([message, Buffer.from(step.append_hex ?? "", "hex")]);
}

/** An error as JSON: its code and all its details. */
function described(error) {
  const shown = { code: grpc.status[error.code] };
  const [status] = error.metadata?.get("grpc-status-details-bin") ?? [];
  for (const detail of status ? fromBinary(StatusSchema, status).details : []) describe(detail, shown);
  return shown;
}

/** Adds one google.rpc detail to the JSON of an error. */
function describe(detail, shown) {
  const { "@type": type, ...message } = toJson(AnySchema, detail, SHOWN);
  const name = type.split(".").pop();
  switch (name) {
    case "ErrorInfo":
      shown.reason = message.reason;
      shown.domain = message.domain;
      if (Object.keys(message.metadata).length) shown.metadata = message.metadata;
      break;
    case "BadRequest":
      shown.fields = message.field_violations.map((violation) => violation.field).sort();
      break;
    case "RetryInfo":
      shown.retry_seconds = parseFloat(message.retry_delay);
      break;
    case "QuotaFailure":
      shown.quota = message.violations.map((violation) => violation.subject);
      break;
    case "PreconditionFailure":
      shown.preconditions = message.violations.map((violation) => violation.type);
      break;
    case "LocalizedMessage":
      shown.localized = message;
      break;
    case "RequestInfo":
      shown.request_info = message.request_id;
      break;
    default:
      shown[name] = message;
  }
}
