/**
 * `ctx.update` and `ctx.object(...).call`: asks another run to do something, and waits for its answer.
 *
 * CR1. A call is an effect that others see, so it waits until everything that the body was answered with is committed. It has no record of its own: an owner that finds
 *      no answer sends it again, and its id, which follows from the run's seed and the path, makes it one call.
 * CR2. The answer is recorded by the cluster at the path of the call (external-record.ts), once. A refusal, and an answer that was there before, is recorded by the owner.
 *      A call knows those that wait for it (model/runs/call-chain.ts).
 * CR3. The wait takes no slot. A wait whose branch is cancelled consumes nothing; the called run goes on.
 */

import { recordedError } from "../../../author/errors/recorded-error.ts";
import { UpdateFailedError } from "../../../author/errors/update-errors.ts";
import { notAnObjectText } from "../../../author/objects/object-texts.ts";
import { decodeValue, encodeValue } from "../../../author/values/json-value.ts";
import { type StandardSchemaV1, updateInputOf, validated } from "../../../author/values/schema.ts";
import type { GivenUpdate } from "../../../commands/messages/update.ts";
import { WorkflowError, type WorkflowErrorCode } from "../../../errors.ts";
import type { RecordedError } from "../../../model/failure.ts";
import { type CallOrigin, MAX_CALL_DEPTH } from "../../../model/runs/call-chain.ts";
import type { ExternalRecords } from "../../history/external-records.ts";
import type { CallSite } from "../call-site.ts";
import { externalRecord } from "../external-record.ts";
import { idempotencyKey, type KeyedRun } from "../steps/idempotency-key.ts";
import type { CallSender } from "./call-sender.ts";

/** What the calls of one body share. */
export interface RunCallSetting {
  readonly run: KeyedRun & { readonly startIndex: number; readonly epoch: number };
  readonly externals: ExternalRecords;
  readonly calls: CallSender;
}

/** One call of another run. */
export interface RunCall {
  readonly path: string;
  readonly runId: string;
  /** The update. */
  readonly name: string;
  readonly input: unknown;
  readonly schema: StandardSchemaV1 | undefined;
  /** The type and version of the object that the run is, which is begun if there is none; undefined for a run that must exist. */
  readonly object: { readonly type: string; readonly version: number } | undefined;
  /** What the call follows from; undefined for one of the body itself, which is a root. */
  readonly origin: CallOrigin | undefined;
}

/** Why a call was not taken, as it is recorded: a failure has a name, and this has none. */
interface RecordedRefusal {
  readonly name?: undefined;
  readonly code: WorkflowErrorCode;
  readonly message: string;
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** The answer. To be used within {@link CallSite.call}. Rejects with UpdateFailedError, or with the code of a refusal. */
export async function callRun(site: CallSite, setting: RunCallSetting, call: RunCall): Promise<unknown> {
  const { path, runId, name } = call;
  const begin = async (): Promise<void> => {
    const gate = site.gate();
    if (gate !== undefined) await gate;
    await site.whenSettled(() => site.work(() => sent(site, setting, call)));
  };
  const { kind, value } = await externalRecord(site, setting.externals, { path, kind: "answer", begin });
  const given = decodeValue(value, `the answer to call ${path}`);
  if (kind === "answer") return given;
  const failure = given as RecordedError | RecordedRefusal;
  if (failure.name !== undefined) throw new UpdateFailedError(runId, name, failure);
  throw new WorkflowError(failure.code, failure.message, { details: { runId } });
}

/** Sends the call, and records what came of it where no answer is to be waited for (CR2). */
async function sent(site: CallSite, { run, calls }: RunCallSetting, call: RunCall): Promise<void> {
  const { path, runId, name, object } = call;
  try {
    const { startIndex, epoch } = run;
    const atMs = site.clock.wallMs();
    const { chain, root } = call.origin ?? { chain: [], root: { runId: run.runId, atMs } };
    if (chain.length >= MAX_CALL_DEPTH) {
      await refuse(site, path, { code: "CALL_TOO_DEEP", message: tooDeep(call) });
      return;
    }
    if (object !== undefined && calls.isObject(object.type) === false) {
      await refuse(site, path, { code: "WORKFLOW_TYPE_UNKNOWN", message: notAnObjectText(object.type) });
      return;
    }
    const caller = { runId: run.runId, startIndex, path, epoch, chain, rootAtMs: root.atMs };
    const update: GivenUpdate = {
      updateId: idempotencyKey(run, `call ${path}`),
      name,
      input: await inputOf(site, call),
      caller,
    };
    const result = await calls.send(
      object === undefined
        ? { kind: "Update", runId, ...update, atMs }
        : { kind: "StartWith", start: { ...startOf(runId, object), atMs }, update, afterEnd: true, atMs },
    );
    if (result.is === "waiting") return;
    if (result.is === "answered") {
      await site.history.record(path, result.isFailure ? "answer-failed" : "answer", result.value);
      return;
    }
    const { code, message } = result.refusal;
    await refuse(site, path, { code, message });
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    await refuse(site, path, { code: error.code, message: recordedError(error).message });
  }
}

/** Where the run does not exist, it begins on the least loaded node, with a seed that the cluster derives. */
function startOf(runId: string, { type: workflowType, version }: { readonly type: string; readonly version: number }) {
  return { runId, workflowType, version, input: NOTHING, owner: 0, seed: NOTHING };
}

async function inputOf(site: CallSite, { name, input, schema }: RunCall): Promise<Uint8Array> {
  const about = `the input of update ${name}`;
  const bytes = encodeValue(input, about, site.maxPayloadBytes);
  if (schema !== undefined) await validated(schema, decodeValue(bytes, about), updateInputOf(name));
  return bytes;
}

function tooDeep({ runId, name }: RunCall): string {
  return `Update ${name} of run ${runId} was not asked for: ${MAX_CALL_DEPTH} calls wait for each other already, which is the limit. Let fewer handlers call each other.`;
}

async function refuse(site: CallSite, path: string, refusal: RecordedRefusal): Promise<void> {
  await site.history.record(path, "answer-failed", encodeValue(refusal, path, Number.POSITIVE_INFINITY));
}
