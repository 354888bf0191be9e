/**
 * `ctx.object`: an object in the hands of a body.
 *
 * OC1. An object whose run ends without having accepted the call is called again, at the next path: the record says so to every replay.
 */
import type { ObjectHandler } from "../../../author/objects/handlers.ts";
import { objectRunId } from "../../../author/objects/object-id.ts";
import type { CalledObject, RunCallOptions } from "../../../author/run-calls.ts";
import { WorkflowError } from "../../../errors.ts";
import type { RunCall } from "./call-run.ts";

/** How often a call is made whose object ends each time before it has accepted the call. */
const MAX_CALL_ATTEMPTS = 20;

/** A definition of an object, or what is known of one by its type. */
interface NamedObject {
  readonly type: string;
  readonly version?: number;
  readonly handlers?: Readonly<Record<string, ObjectHandler>>;
}

/** Makes a call of a run under the next path of a name. */
export type MakeCall = (
  name: string,
  signal: AbortSignal | undefined,
  call: Omit<RunCall, "path" | "origin">,
) => Promise<unknown>;

/** The object of a definition, or of a type, under a key. Throws NAME_INVALID. */
export function calledObject<Definition>(object: unknown, key: string, make: MakeCall): CalledObject<Definition> {
  const isNamed = typeof object === "object" && object !== null && "type" in object;
  const { type, version = 0, handlers = {} } = (isNamed ? object : { type: String(object) }) as NamedObject;
  const runId = objectRunId(type, key);
  const call = async (handler: string, ...args: readonly unknown[]): Promise<unknown> => {
    const [input, options = {}] = args as readonly [input?: unknown, options?: RunCallOptions];
    const schema = Object.hasOwn(handlers, handler) ? handlers[handler]?.input : undefined;
    const { name = `${type}.${handler}`, signal } = options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await make(name, signal, { runId, name: handler, input, schema, object: { type, version } });
      } catch (error) {
        const hasEnded = error instanceof WorkflowError && error.code === "WORKFLOW_FINISHED";
        if (!hasEnded || attempt >= MAX_CALL_ATTEMPTS) throw error;
      }
    }
  };
  // What a handler takes and gives has the types of the definition.
  return { key, runId, call: call as CalledObject<Definition>["call"] };
}
