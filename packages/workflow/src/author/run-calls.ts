/** Calls of a body to other runs, and to objects. */
import type { HandlerAnswer, HandlerGiven, HandlerName } from "./objects/typed-object.ts";

/** Options of a call to another run. */
export interface RunCallOptions {
  /** Names the call in the history (the update's name, or the object's type and the handler's name). */
  readonly name?: string;
  /** Ends the wait when it is aborted. The call goes on. */
  readonly signal?: AbortSignal;
}

/** What a call takes after the name: the input, which may be left out where `undefined` is one, and options. */
export type RunCallArguments<Given> = undefined extends Given
  ? [input?: Given, options?: RunCallOptions]
  : [input: Given, options?: RunCallOptions];

/** An object that a body calls. */
export interface CalledObject<Definition = unknown> {
  readonly key: string;
  /** Of the run that is the object. */
  readonly runId: string;
  /**
   * Calls a handler, once, and gives its answer; takeovers of either run change nothing. The wait takes no slot. Rejects with UpdateFailedError when the handler throws, and with
   * UPDATE_REJECTED, UPDATE_UNKNOWN, UPDATE_BUFFER_FULL or WORKFLOW_TYPE_UNKNOWN; CALL_CIRCULAR for a call of an exclusive handler that follows from one of the same
   * object, and CALL_TOO_DEEP when 32 calls wait for each other. Two calls that wait for each other crosswise are not found: bound them with
   * `ctx.scope(name, fn, { timeout })`.
   */
  call<Name extends HandlerName<Definition>>(
    name: Name,
    ...args: RunCallArguments<HandlerGiven<Definition, Name>>
  ): Promise<HandlerAnswer<Definition, Name>>;
}
