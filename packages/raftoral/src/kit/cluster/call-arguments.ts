/** What {@link ClusterPort} asks a node for: checked requests as arguments of the API again. */
import { RaftoralError } from "@raftoral/raft-core";
import { attributeValues, objectKey, PRIORITY_ZERO, type RunQueue, UpdateFailedError } from "@raftoral/workflow";
import type { CallLimit, ReadOptions } from "../../api/call-options.ts";
import { Payload } from "../../api/payloads/payload.ts";
import type { UpdateEnd } from "../../api/updates/updates.ts";
import type { Workflows } from "../../api/workflows.ts";
import type { PageRequest, StartRequest, UpdateRequest } from "../../api/workflows-port.ts";

/** The options of a start that its queue came from. */
function queuedStart(queue: RunQueue | undefined) {
  if (queue === undefined) return {};
  const { name, key, priority, dedupeKey, debounceMs, debounceMaxMs } = queue;
  return {
    queue: name,
    priority: priority - PRIORITY_ZERO,
    ...(key === "" ? {} : { key }),
    ...(dedupeKey === "" ? {} : { dedupeKey }),
    ...(debounceMs === 0 ? {} : { debounceMs, debounceMaxMs }),
  };
}

/** A start as a node's API takes it. */
export function startOf(request: StartRequest) {
  const { runId, workflowType: type, version, isPinned, input, runTimeoutMs, trace, idPolicy, startId } = request;
  const found = { attributes: attributeValues(request.attributes), idPolicy };
  const unique = startId === undefined ? {} : { startId };
  const { delayMs, startAtMs } = request;
  const limited = {
    ...(runTimeoutMs === undefined ? {} : { runTimeoutMs }),
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(startAtMs === undefined ? {} : { startAt: startAtMs }),
  };
  const pinned = isPinned && version !== undefined ? { version } : {};
  const workflow = { type, ...(version === undefined ? {} : { version }) };
  return {
    workflow,
    input,
    start: {
      runId,
      trace: trace ?? (false as const),
      ...queuedStart(request.queue),
      ...found,
      ...unique,
      ...pinned,
      ...limited,
    },
  };
}

/** How an update stands, as the API of a node tells it. */
export async function updateEnd(
  name: string,
  limit: CallLimit,
  ask: () => Promise<{ readonly answer: unknown } | undefined>,
): Promise<UpdateEnd | undefined> {
  try {
    const answered = await ask();
    if (answered === undefined) return { status: "accepted" };
    return { status: "completed", answer: Payload.of(answered.answer, `the answer to update ${name}`) };
  } catch (error) {
    if (error instanceof UpdateFailedError) return { status: "failed", failure: error.failure };
    const isLate = error instanceof RaftoralError && error.code === "DEADLINE_EXCEEDED";
    if (isLate && limit.timeoutMs !== Number.POSITIVE_INFINITY) return undefined;
    throw error;
  }
}

/** The options of a call, of its limit. */
export function options({ timeoutMs, signal, isStale }: CallLimit): ReadOptions {
  return {
    ...(isStale === true ? { consistency: "stale" } : {}),
    ...(timeoutMs === Number.POSITIVE_INFINITY ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** The options of a page. */
export function pageOptions({ pageSize, pageToken }: PageRequest) {
  return { pageSize, ...(pageToken === undefined ? {} : { pageToken }) };
}

/** Calls an object as the API of a node does. */
export function objectCalled(
  workflows: Workflows,
  { workflowType: type, version, runId }: StartRequest,
  { name, input, updateId: id, until }: UpdateRequest,
  limit: CallLimit,
): Promise<UpdateEnd | undefined> {
  // What is known of a definition by the request.
  const object = { type, ...(version === undefined ? {} : { version }) } as unknown as string;
  const handle = workflows.object(object, objectKey(type, runId) ?? runId);
  return updateEnd(name, limit, async () => {
    if (until === "completed") return { answer: await handle.call(name, input, { id, ...options(limit) }) };
    await handle.send(name, input, { id, ...options(limit) });
    return undefined;
  });
}
