/** Checks what callers give to signal a run. */
import { signalOf } from "@raftoral/workflow";
import { signalArgument, signalIdArgument, signalNameArgument } from "../arguments.ts";
import { Payload } from "../payloads/payload.ts";
import { assertFits } from "../payloads/validated-payload.ts";
import type { SignalRequest } from "../workflows-port.ts";

/** A signal as a caller names it. */
export interface AskedSignal {
  /** Checked. */
  readonly runId: string;
  readonly signal: unknown;
  readonly value: unknown;
  readonly signalId: unknown;
}

/** A checked signal, with an id. Rejects with REQUEST_INVALID, SIGNAL_INVALID or VALUE_NOT_SERIALIZABLE. */
export async function signalRequest(
  { runId, signal, value, signalId }: AskedSignal,
  uuid: () => string,
): Promise<SignalRequest> {
  const { name: given, schema } = signalArgument(signal);
  const name = signalNameArgument(given);
  const payload = Payload.of(value, `signal ${name}`);
  if (schema !== undefined) await assertFits(schema, payload, signalOf(name));
  return { runId, name, payload, signalId: signalIdArgument(signalId) ?? uuid() };
}
