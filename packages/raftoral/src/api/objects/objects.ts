/** Virtual objects: state under a key, called from any node and client. */
import type { Duration, HandlerAnswer, HandlerGiven, HandlerName, ObjectDefinition, StateOf } from "@raftoral/workflow";
import type { CallOptions, ReadOptions } from "../call-options.ts";
import type { Payload } from "../payloads/payload.ts";
import type { RunStatus } from "../runs.ts";
import type { AcceptedUpdate } from "../updates/updates.ts";

/** Options of a call of an object. */
export interface ObjectCallOptions extends CallOptions {
  /** A call that is made again under the same id is executed once, and answered alike. Text of 1 to 200 characters; a random UUID by default. */
  readonly id?: string;
}

/** Options of a call that begins later. */
export interface ObjectSendOptions extends ObjectCallOptions {
  /** How long after its acceptance the call begins. The time counts across crashes. Less than a millisecond is at once. */
  readonly after: Duration;
}

/** What a call takes after the handler's name: the input, which may be left out where `undefined` is one, and options. */
export type ObjectCallArguments<Given, Options = ObjectCallOptions> = undefined extends Given
  ? [input?: Given | Payload, options?: Options]
  : [input: Given | Payload, options?: Options];

/** One object as it appears in a list. */
export interface ObjectSummary {
  readonly key: string;
  /** Of the run that is the object. */
  readonly runId: string;
  readonly version: number;
  /** `running`, or `stuck` when no node executes it until somebody resumes it or registers code that fits. */
  readonly status: RunStatus;
  /** The node that executes the object; 0 while none does. */
  readonly owner: number;
}

/**
 * A handle of one object. Objects need not be created: one that was never called has the state of its definition. The first call that changes the state makes it
 * last, until it is deleted.
 */
export interface ObjectHandle<Definition = ObjectDefinition> {
  readonly key: string;
  /** Of the run that is the object: `account/alice`. */
  readonly runId: string;
  /**
   * Calls a handler, and gives its answer. Exclusive handlers of one object run one after the other in the order in which their calls were accepted, shared ones beside
   * them. Executed once per id, also over takeovers, generations and deletions, as long as the call is among the latest 256 of the object that were answered. Without
   * `timeoutMs` it waits as long as it takes. Rejects as {@link Workflows.update} does: with UpdateFailedError when the handler throws, INPUT_INVALID or UPDATE_REJECTED
   * for an input that the handler's schema does not take, UPDATE_UNKNOWN without a handler, UPDATE_BUFFER_FULL with 256 calls under way, DEADLINE_EXCEEDED (the call goes on).
   */
  call<Name extends HandlerName<Definition>>(
    name: Name,
    ...args: ObjectCallArguments<HandlerGiven<Definition, Name>>
  ): Promise<HandlerAnswer<Definition, Name>>;
  /** As {@link call}, but resolves once the call is accepted, and will be executed whatever dies: with the way to wait for its answer. */
  send<Name extends HandlerName<Definition>>(
    name: Name,
    ...args: ObjectCallArguments<HandlerGiven<Definition, Name>>
  ): Promise<AcceptedUpdate<HandlerAnswer<Definition, Name>>>;
  /**
   * Keeps a call until its time has come. Resolves once that is committed. No caller waits for the answer: a failure is a line of the owner's log. An object keeps 256 such
   * calls, which count with its state against the limit of a payload. A schema of the handler must answer at once.
   */
  sendLater<Name extends HandlerName<Definition>>(
    name: Name,
    input: HandlerGiven<Definition, Name> | Payload,
    options: ObjectSendOptions,
  ): Promise<void>;
  /** The state, as it was last recorded, without running code; undefined for an object that has none. Linearizable, on any node. */
  state(options?: ReadOptions): Promise<StateOf<Definition> | undefined>;
  /**
   * Deletes the state and the calls that wait for their time, once the exclusive calls before have ended. Exclusive calls that come later find an object without a state.
   * Deleting an object that does not exist does nothing.
   */
  delete(options?: ObjectCallOptions): Promise<void>;
  /**
   * Lets the object go on with the newest version of its code that its owner has, once no call is under way. Resolves once that is accepted. Does nothing for an object
   * that does not exist.
   */
  renew(options?: ObjectCallOptions): Promise<void>;
}
