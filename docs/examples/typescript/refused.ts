import { type ServiceError, status } from "@grpc/grpc-js";
import { BadRequest, ErrorInfo, LocalizedMessage, RetryInfo } from "./generated/google/rpc/error_details";
import { Status } from "./generated/google/rpc/status";

/** A call failed. Never contains the request, which must not be logged. */
export class Refused extends Error {
  readonly code: status;
  /** Undefined if the error comes from the client itself or from a proxy: then go by the code. */
  readonly reason?: string;
  /** When to try again. Undefined if waiting does not help. */
  readonly nextAttemptTime?: Date;
  /** How long to wait before the next call. */
  readonly retryDelayMs?: number;
  /** The text to show or read out to the person. */
  readonly textForPerson: string = "Please try again later.";
  /** The malformed fields. */
  readonly fields: string[] = [];

  constructor(error: ServiceError) {
    super(`${status[error.code]} ${error.details}`);
    this.code = error.code;
    const [trailer] = error.metadata.get("grpc-status-details-bin");
    const details = trailer === undefined ? [] : Status.decode(trailer as Buffer).details;
    for (const { typeUrl, value } of details) {
      switch (typeUrl.split("/").pop()) {
        case "google.rpc.ErrorInfo": {
          const info = ErrorInfo.decode(value);
          this.reason = info.reason;
          const time = info.metadata.nextAttemptTime;
          this.nextAttemptTime = time === undefined ? undefined : new Date(time);
          break;
        }
        case "google.rpc.LocalizedMessage":
          this.textForPerson = LocalizedMessage.decode(value).message;
          break;
        case "google.rpc.RetryInfo": {
          const delay = RetryInfo.decode(value).retryDelay;
          this.retryDelayMs = delay && delay.seconds * 1000 + delay.nanos / 1e6;
          break;
        }
        case "google.rpc.BadRequest":
          this.fields = BadRequest.decode(value).fieldViolations.map((violation) => violation.field);
      }
    }
  }
}
