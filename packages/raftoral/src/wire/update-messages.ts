/** How updates stand, between generated messages and the types of the API, both ways. Answers pass through as bytes. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Payload } from "../api/payloads/payload.ts";
import type { UpdateEnd } from "../api/updates/updates.ts";
import { UpdateStatus } from "../gen/raftoral/v1/run_messages_pb.ts";
import type { Failure, FailureSchema } from "../gen/raftoral/v1/run_pb.ts";
import { failureFromWire, failureToWire } from "./failure-messages.ts";

/** The fields of a message that says how an update stands. */
interface WireEnd {
  readonly status: UpdateStatus;
  readonly answer: Uint8Array;
  readonly failure?: Failure | undefined;
}

/** How an update stands, as fields of a message; undefined: not that far yet. */
export function updateEndToWire(end: UpdateEnd | undefined): {
  status: UpdateStatus;
  answer?: Uint8Array;
  failure?: MessageInitShape<typeof FailureSchema>;
} {
  switch (end?.status) {
    case undefined:
      return { status: UpdateStatus.PENDING };
    case "accepted":
      return { status: UpdateStatus.ACCEPTED };
    case "completed":
      return { status: UpdateStatus.COMPLETED, answer: end.answer.bytes };
    case "failed":
      return { status: UpdateStatus.FAILED, failure: failureToWire(end.failure) };
  }
}

/** How an update named `name` stands, from a message; undefined: not that far yet. */
export function updateEndFromWire({ status, answer, failure }: WireEnd, name: string): UpdateEnd | undefined {
  switch (status) {
    case UpdateStatus.ACCEPTED:
      return { status: "accepted" };
    case UpdateStatus.COMPLETED:
      return { status: "completed", answer: Payload.ofBytes(answer, `the answer to update ${name}`) };
    case UpdateStatus.FAILED:
      return {
        status: "failed",
        failure: failure === undefined ? { name: "Error", message: "" } : failureFromWire(failure),
      };
    default:
      return undefined;
  }
}
