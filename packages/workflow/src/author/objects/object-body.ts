/**
 * The body of the run that is an object: its calls are updates, its state is a variable.
 *
 * OB1. Exclusive calls run one after the other, in the order in which the log accepted them; shared ones begin at once and change nothing.
 * OB2. An object without a state and without calls to come ends when no call is under way and none waits: a key that was only read, or was deleted, costs nothing. Nor does one
 *      whose calls were all refused.
 * OB3. The history is bounded: past a limit the object continues as new when no call is under way; past a higher one it accepts no call until those under way have ended.
 * OB4. How the generation ends is decided after the last call (settled-end.ts SE1), so no acknowledged change is lost.
 * OB5. A call that is to begin later is kept in the record until it begins, over generations.
 */
import { WorkflowError } from "../../errors.ts";
import { CancelledError, NonDeterminismError } from "../errors/errors.ts";
import { SettledEnd, type SettledOutcome } from "../errors/settled-end.ts";
import type { OwnUpdateOptions, UpdateDefinition } from "../update.ts";
import { encodeValue } from "../values/json-value.ts";
import { judgedAtOnce, updateInputOf } from "../values/schema.ts";
import type { Variable, WorkflowContext } from "../workflow-context.ts";
import { ExclusiveQueue } from "./exclusive-queue.ts";
import type { ObjectHandler } from "./handlers.ts";
import { KeptState, ReadState, type StateSetting } from "./kept-state.ts";
import { LARGE_CHARACTERS, LARGE_RECORDS, MAX_OBJECT_CALLS, TOO_LARGE } from "./limits.ts";
import { objectKey } from "./object-id.ts";
import {
  DELETE_UPDATE,
  type DelayedCall,
  OBJECT_RECORD,
  type ObjectRecord,
  OWN_PREFIX,
  RENEW_UPDATE,
  SEND_UPDATE,
  type SentCall,
} from "./object-record.ts";
import { notAWorkflowText } from "./object-texts.ts";

/** What the bodies of one type of object share. */
export interface ObjectSetting {
  readonly type: string;
  readonly version: number;
  readonly initial: unknown;
  readonly migrate: ((state: unknown, version: number) => unknown) | undefined;
  readonly handlers: Readonly<Record<string, ObjectHandler>>;
}

type Kept = Variable<ObjectRecord>;

/** One generation of one object (OB1 to OB5). */
export class ObjectBody {
  readonly #setting: ObjectSetting;
  readonly #ctx: WorkflowContext;
  readonly #queue = new ExclusiveQueue();
  readonly #kept = Promise.withResolvers<Kept>();
  #record: Kept | undefined;
  /** Calls under way: begun, or waiting for their turn. */
  #open = 0;
  /** Of those, calls that were sent: nothing but this body waits for them. */
  #openSent = 0;
  #served = 0;
  /** Characters of JSON in the history, as far as states and inputs are. */
  #characters = 0;
  #hasRefused = false;
  #isRenewing = false;
  #isEnding = false;

  constructor(setting: ObjectSetting, ctx: WorkflowContext) {
    this.#setting = setting;
    this.#ctx = ctx;
  }

  /** From the record of the generation before, if there was one. */
  async run(before: unknown): Promise<unknown> {
    const { handlers, type } = this.#setting;
    if (objectKey(type, this.#ctx.runId) === undefined || !isRecord(before))
      throw new WorkflowError("INPUT_INVALID", notAWorkflowText(type), { details: { runId: this.#ctx.runId } });
    // Whatever fails below fails the run; a call that waits for the record then ends with it.
    this.#kept.promise.catch(() => {});
    for (const [name, handler] of Object.entries(handlers)) {
      const definition: UpdateDefinition = { name, input: handler.input, output: undefined };
      const options: OwnUpdateOptions<unknown> = { isExclusive: handler.mode === "exclusive" };
      this.#ctx.onUpdate(definition, (own, input) => this.#called(name, own, input), options);
    }
    const onRefused = (): void => {
      this.#hasRefused = true;
    };
    const inTurn: OwnUpdateOptions<unknown> = { isExclusive: true, onRefused };
    this.#ctx.onUpdate(own(DELETE_UPDATE), () => this.#serve(() => this.#queue.run(() => this.#delete())), inTurn);
    this.#ctx.onUpdate(own(SEND_UPDATE), (ctx, sent) => this.#serve(() => this.#send(ctx, sent as SentCall)), {
      validate: (sent) => this.#checkSent(sent),
    });
    this.#ctx.onUpdate(own(RENEW_UPDATE), () =>
      this.#serve(async () => {
        this.#isRenewing = true;
      }),
    );
    const first = this.#first(before);
    // A generation that goes on from another one records that at once, for its readers.
    const record = await this.#ctx.variable(OBJECT_RECORD, before === undefined ? first : () => first);
    this.#record = record;
    this.#kept.resolve(record);
    for (const call of record.value.calls) this.#schedule(call);
    await this.#ctx.condition(() => this.#mayEnd(record));
    this.#isEnding = true;
    return new SettledEnd(() => this.#end(record));
  }

  /** What this generation begins with. */
  #first(before: ObjectRecord | undefined): ObjectRecord {
    const { version, migrate } = this.#setting;
    if (before === undefined) return { calls: [], version };
    if (before.version === version || migrate === undefined || before.state === undefined)
      return { ...before, version };
    return { ...before, state: migrated(migrate, before, this.#setting), version };
  }

  #mayEnd({ value }: Kept): boolean {
    const { historySize } = this.#ctx;
    const isLarge = historySize >= LARGE_RECORDS || this.#characters >= LARGE_CHARACTERS;
    const isAsked = this.#served > 0 || this.#hasRefused;
    if (this.#open === 0) return isLarge || this.#isRenewing || (isAsked && isEmpty(value));
    const isTooLarge = historySize >= LARGE_RECORDS * TOO_LARGE || this.#characters >= LARGE_CHARACTERS * TOO_LARGE;
    return isTooLarge && this.#openSent === 0;
  }

  #end({ value }: Kept): SettledOutcome {
    return { is: isEmpty(value) ? "idle" : "continued", input: value };
  }

  /** Counts a call as long as it is under way. */
  async #serve<T>(call: () => Promise<T>): Promise<T> {
    this.#open += 1;
    try {
      await this.#kept.promise;
      return await call();
    } finally {
      this.#open -= 1;
      this.#served += 1;
    }
  }

  #called(name: string, ctx: WorkflowContext, input: unknown): Promise<unknown> {
    return this.#serve(() => this.#handle(name, ctx, input));
  }

  /** Calls a handler, in its turn (OB1). */
  #handle(name: string, ctx: WorkflowContext, input: unknown): Promise<unknown> {
    const handler = this.#setting.handlers[name];
    if (handler === undefined) throw new TypeError(`Object ${this.#ctx.runId} has no handler ${name}.`);
    this.#characters += input === undefined ? 0 : lengthOf(input);
    if (handler.mode === "shared") return this.#shared(handler, ctx, input);
    return this.#queue.run(async () => {
      const state = new KeptState(this.#states());
      try {
        return await handler.run(this.#contextOf(ctx, state) as never, input);
      } finally {
        await state.end();
      }
    });
  }

  async #shared(handler: ObjectHandler, ctx: WorkflowContext, input: unknown): Promise<unknown> {
    return await handler.run(this.#contextOf(ctx, new ReadState(this.#states())) as never, input);
  }

  #states(): StateSetting<unknown> {
    return {
      runId: this.#ctx.runId,
      record: this.#known(),
      initial: this.#setting.initial,
      onChange: (length) => {
        this.#characters += length;
      },
    };
  }

  #known(): Kept {
    if (this.#record === undefined) throw new Error(`Object ${this.#ctx.runId} was called before its state was there.`);
    return this.#record;
  }

  /** The context of one call: what a workflow's is, without what is the body's own. */
  #contextOf(ctx: WorkflowContext, state: unknown): WorkflowContext {
    const { runId } = this.#ctx;
    const key = objectKey(this.#setting.type, runId) ?? runId;
    const refuse = (method: string) => ({
      value: () => {
        const message = `ctx.${method}() was called in a handler of object ${runId}. Nothing was done. Handlers of objects do without it.`;
        throw new WorkflowError("CONTEXT_IN_HANDLER", message, { details: { runId } });
      },
    });
    return Object.defineProperties(ctx, {
      key: { value: key },
      state: { value: state },
      continueAsNew: refuse("continueAsNew"),
      on: refuse("on"),
      onUpdate: refuse("onUpdate"),
      onQuery: refuse("onQuery"),
    });
  }

  /** Calls that were sent for later go with the state. */
  async #delete(): Promise<void> {
    await this.#known().set({ calls: [], version: this.#setting.version });
  }

  /** Throws for a call that no handler can take. */
  #checkSent(sent: unknown): void {
    const { id, name, input, afterMs } = (sent ?? {}) as Partial<SentCall>;
    const known = Object.keys(this.#setting.handlers).sort().join(", ");
    const handler = this.#setting.handlers[String(name)];
    if (handler === undefined || !Object.hasOwn(this.#setting.handlers, String(name))) {
      throw new TypeError(
        `Object ${this.#ctx.runId} has no handler ${name}. It has these: ${known}. Correct the name.`,
      );
    }
    if (typeof id !== "string" || typeof afterMs !== "number" || !(afterMs >= 0)) {
      throw new TypeError(`A call of object ${this.#ctx.runId} is sent with an id and the time until it begins.`);
    }
    if (handler.input !== undefined) judgedAtOnce(handler.input, input, updateInputOf(String(name)));
    const { calls = [] } = this.#record?.value ?? {};
    if (calls.some((kept) => kept.id === id)) {
      throw new RangeError(
        `A call of object ${this.#ctx.runId} waits for its time under the id ${id}. Give this one another id.`,
      );
    }
    if (calls.length >= MAX_OBJECT_CALLS) {
      throw new RangeError(
        `${MAX_OBJECT_CALLS} calls of object ${this.#ctx.runId} wait for their time, which is the limit. Send it later.`,
      );
    }
  }

  /** Keeps a call until its time has come (OB5). */
  async #send(ctx: WorkflowContext, { id, name, input, afterMs }: SentCall): Promise<void> {
    const atMs = (await ctx.now()) + afterMs;
    const call: DelayedCall = { id, name, atMs, ...(input === undefined ? {} : { input }) };
    await this.#known().update((before) => ({ ...before, calls: [...before.calls, call] }));
    this.#characters += lengthOf(this.#known().value);
    this.#schedule(call);
  }

  /** Begins a call when its time has come, unless the generation ends then: the next one begins it. */
  #schedule(call: DelayedCall): void {
    const begun = this.#ctx.scope(`${OWN_PREFIX}${call.name}`, async (ctx) => {
      await ctx.sleepUntil(call.atMs);
      const isKept = this.#known().value.calls.some(({ id }) => id === call.id);
      if (isKept && !this.#isEnding) await this.#sent(ctx, call);
    });
    // It rejects where the object is cancelled, and with it all that it does.
    begun.catch(() => {});
  }

  /** What comes of it is told to the log alone. */
  async #sent(ctx: WorkflowContext, call: DelayedCall): Promise<void> {
    this.#openSent += 1;
    try {
      await this.#serve(() => this.#begin(ctx, call));
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      ctx.log.error(
        { err: error, handler: call.name, callId: call.id },
        "A call that was sent to an object has failed.",
      );
    } finally {
      this.#openSent -= 1;
    }
  }

  /** What is taken out of the record is under way, and the generation waits for it. */
  async #begin(ctx: WorkflowContext, { id, name, input: raw }: DelayedCall): Promise<void> {
    await this.#known().update((before) => ({ ...before, calls: before.calls.filter((other) => other.id !== id) }));
    const schema = this.#setting.handlers[name]?.input;
    const input = schema === undefined ? raw : judgedAtOnce(schema, raw, updateInputOf(name));
    await this.#handle(name, ctx, input);
  }
}

/** The state as this version has it. Code that does not make one of it holds the object, as code does that does not fit a history, and loses nothing. */
function migrated(
  migrate: (state: unknown, version: number) => unknown,
  { state, version: from }: ObjectRecord,
  { type, version }: ObjectSetting,
): unknown {
  try {
    const next = migrate(state, from);
    if (next !== undefined && encodeValue(next, "the state", Number.POSITIVE_INFINITY).length > 0) return next;
    throw new TypeError("it gives undefined");
  } catch (error) {
    const expected = `a state of version ${version} of object ${type}, which its migrate does not give (${error instanceof Error ? error.message : String(error)})`;
    throw new NonDeterminismError(OBJECT_RECORD.name, { expected, recorded: `a state of version ${from}` });
  }
}

function isEmpty({ state, calls }: ObjectRecord): boolean {
  return state === undefined && calls.length === 0;
}

/** Whether an input is one that an object's generation begins with. */
function isRecord(input: unknown): input is ObjectRecord | undefined {
  return input === undefined || Array.isArray((input as Partial<ObjectRecord> | null)?.calls);
}

/** One of an object's own updates. */
function own(name: string): UpdateDefinition {
  return { name, input: undefined, output: undefined };
}

/** About so many characters of JSON; 0 for what a schema made that is no JSON. */
function lengthOf(value: unknown): number {
  try {
    return JSON.stringify(value)?.length ?? 0;
  } catch {
    return 0;
  }
}
