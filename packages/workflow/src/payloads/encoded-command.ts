/**
 * Commands as a node with a payload codec proposes them: every value that a body gave, or is given, is encoded.
 *
 * What stays plain, because the cluster itself reads it or people find runs by it: ids, types, paths, names, attributes, times, reasons of cancellations and pauses, refusals of
 * updates, and names and codes of failures.
 */
import type { NewRecord } from "../commands/history/records.ts";
import type { StreamPart } from "../commands/history/stream-append.ts";
import type { GivenUpdate } from "../commands/messages/update.ts";
import type { WorkflowCommand } from "../commands/registry.ts";
import type { StartFacts } from "../commands/runs/workflow-start.ts";
import { digestIn } from "../model/payload-envelope.ts";
import type { RunOutcome } from "../model/runs/run-outcome.ts";
import type { PayloadCoder } from "./payload-coder.ts";
import { encodedRecordValue } from "./record-values.ts";
import { sealedFailure, sealedFailureJson } from "./sealed-failure.ts";

/** The command with its values encoded; the command itself where it has none. Rejects with PAYLOAD_CODEC_FAILED. */
export async function encodedCommand(coder: PayloadCoder, command: WorkflowCommand): Promise<WorkflowCommand> {
  switch (command.kind) {
    case "WorkflowStart":
      return { ...command, ...(await encodedInput(coder, command)) };
    case "StartWith": {
      const { start, update, signal } = command;
      return {
        ...command,
        start: { ...start, ...(await encodedInput(coder, start)) },
        ...(update === undefined ? {} : { update: await encodedUpdate(coder, update, start.runId) }),
        ...(signal === undefined
          ? {}
          : { signal: { ...signal, payload: await signalled(coder, signal, start.runId) } }),
      };
    }
    case "Update":
      return { ...command, ...(await encodedUpdate(coder, command, command.runId)) };
    case "Signal":
      return { ...command, payload: await signalled(coder, command, command.runId) };
    case "ContinueAsNew":
      return { ...command, input: await input(coder, command.input, command.runId) };
    case "WorkflowEnd":
      return { ...command, outcome: await encodedOutcome(coder, command.outcome, command.runId) };
    case "Checkpoint": {
      const { path, recordKind: kind, value, runId } = command;
      return { ...command, value: await encodedRecordValue(coder, { path, kind, value, runId }) };
    }
    case "Records": {
      const { records, end, runId } = command;
      const encoded = await Promise.all(records.map((record) => encodedRecord(coder, record, runId)));
      const ended = end === undefined ? {} : { end: await encodedOutcome(coder, end, runId) };
      return { ...command, records: encoded, ...ended };
    }
    case "UpdateAnswer": {
      const { verdict, value, runId, updateId } = command;
      // The sender of a refused update reads why, whatever codecs it has.
      if (verdict === "rejected") return command;
      if (verdict === "failed") return { ...command, value: await sealedFailureJson(coder, value, runId) };
      const kind = verdict === "accepted" ? "update" : "answer";
      return { ...command, value: await coder.encode(value, { kind, runId, what: `update ${updateId}` }) };
    }
    case "StreamAppend":
      return {
        ...command,
        parts: await Promise.all(command.parts.map((part) => encodedPart(coder, part, command.runId))),
      };
    case "StepProgress": {
      const { details, error, runId, path } = command;
      const heartbeat = { kind: "heartbeat", runId, what: `the heartbeat of step ${path}` } as const;
      return {
        ...command,
        details: await coder.encode(details, heartbeat),
        ...(error === undefined ? {} : { error: await sealedFailure(coder, error, runId) }),
      };
    }
    default:
      return command;
  }
}

async function encodedInput(
  coder: PayloadCoder,
  { input: given, inputDigest, runId }: StartFacts,
): Promise<Pick<StartFacts, "input" | "inputDigest">> {
  const encoded = await input(coder, given, runId);
  const digest = inputDigest ?? digestIn(encoded);
  return { input: encoded, ...(digest === undefined ? {} : { inputDigest: digest }) };
}

function input(coder: PayloadCoder, bytes: Uint8Array, runId: string): Promise<Uint8Array> {
  return coder.encode(bytes, { kind: "input", runId, what: `the input of run ${runId}`, isCompared: true });
}

function signalled(
  coder: PayloadCoder,
  { name, payload }: { readonly name: string; readonly payload: Uint8Array },
  runId: string,
): Promise<Uint8Array> {
  return coder.encode(payload, { kind: "signal", runId, what: `signal ${name}` });
}

async function encodedUpdate(coder: PayloadCoder, update: GivenUpdate, runId: string): Promise<GivenUpdate> {
  const what = `the input of update ${update.name}`;
  const encoded = await coder.encode(update.input, { kind: "update", runId, what, isCompared: true });
  const digest = update.inputDigest ?? digestIn(encoded);
  return { ...update, input: encoded, ...(digest === undefined ? {} : { inputDigest: digest }) };
}

async function encodedRecord(coder: PayloadCoder, record: NewRecord, runId: string): Promise<NewRecord> {
  const { path, recordKind: kind, value } = record;
  return { ...record, value: await encodedRecordValue(coder, { path, kind, value, runId }) };
}

async function encodedOutcome(coder: PayloadCoder, outcome: RunOutcome, runId: string): Promise<RunOutcome> {
  switch (outcome.status) {
    case "completed": {
      const what = `the result of run ${runId}`;
      return { ...outcome, result: await coder.encode(outcome.result, { kind: "result", runId, what }) };
    }
    case "failed":
      return { ...outcome, error: await sealedFailure(coder, outcome.error, runId) };
    case "cancelled":
      return outcome;
  }
}

async function encodedPart(coder: PayloadCoder, part: StreamPart, runId: string): Promise<StreamPart> {
  const context = { kind: "stream", runId, what: `a chunk of stream ${part.name}` } as const;
  const spans = await Promise.all(
    part.spans.map(async (span) => {
      return { ...span, values: await Promise.all(span.values.map((value) => coder.encode(value, context))) };
    }),
  );
  return { ...part, spans };
}
