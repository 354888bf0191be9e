/** Variables of runs between generated messages and the types of the API, both ways. Values pass through as bytes. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Payload } from "../api/payloads/payload.ts";
import type { RunVariable } from "../api/variables.ts";
import type { RunVariableSchema, RunVariable as WireVariable } from "../gen/raftoral/v1/run_messages_pb.ts";
import { safeNumber } from "./numbers.ts";

/** A variable as a message. */
export function variableToWire({ name, value, recordedAtMs }: RunVariable): MessageInitShape<typeof RunVariableSchema> {
  return { name, value: value.bytes, recordedAtMs: BigInt(recordedAtMs) };
}

/** The variable of a message. Throws REQUEST_INVALID for numbers beyond 2^53 - 1. */
export function variableFromWire({ name, value, recordedAtMs }: WireVariable): RunVariable {
  return {
    name,
    value: Payload.ofBytes(value, `variable ${name}`),
    recordedAtMs: safeNumber(recordedAtMs, "recorded_at_ms"),
  };
}
