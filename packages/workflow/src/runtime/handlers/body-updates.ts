/**
 * Updates of one body: on their way from a caller, through the record, to a handler, and back.
 *
 * BU1. An update is accepted when a handler of its name is there and the validator, if there is one, has let it pass. A validator sees what the record leads to: the
 *      body rests then, all that it was answered with is committed, and no update is on its way before this one.
 * BU2. The acceptance is a record, and its turn among the answers begins the handler. While it is on its way, the body goes on before no commit
 *      (body-calls.ts BC2), and nothing is staged when it is proposed: so the log's order is that of the body's course.
 * BU3. A recorded acceptance is asked for when its handler is registered, which on a replay happens at the same place of the body's course.
 * BU4. The answer is proposed when all is committed that it may depend on. A replay whose handler ends again answers nothing that is answered.
 * BU5. A body that has returned, or whose run somebody has asked to cancel, accepts nothing more.
 */
import { NonDeterminismError } from "../../author/errors.ts";
import { decodeValue, encodeValue } from "../../author/json-value.ts";
import { recordedError } from "../../author/recorded-error.ts";
import { type StandardSchemaV1, updateInputOf, updateOutputOf, type Verdict, validated } from "../../author/schema.ts";
import { escapedName } from "../../author/step-path.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { OpenUpdate } from "../../model/update.ts";
import { inFunctionOf, outsideBodies, PlacedBody } from "../body/body-place.ts";
import { untilRest } from "../body/body-rest.ts";
import type { CallSite } from "../calls/call-site.ts";
import { isCarried } from "../calls/fingerprint.ts";
import { asked, type ParsedRecord, parsedBytes, parsedValue, type Question } from "../calls/parsed.ts";
import { never } from "../history/history.ts";
import type { HandlerRuns, InPlace } from "./handler-runs.ts";
import {
  type AcceptedUpdate,
  acceptedIn,
  encodeRefusal,
  nameInPath,
  type UpdateRefusalCode,
  updatePath,
} from "./update-record.ts";

/** What handles updates of one name. */
export interface UpdateHandling {
  readonly name: string;
  readonly input: StandardSchemaV1 | undefined;
  readonly output: StandardSchemaV1 | undefined;
  readonly handler: (ctx: WorkflowContext, input: unknown) => unknown;
  readonly validate: ((input: unknown) => unknown) | undefined;
  readonly inPlace: InPlace;
}

/** An acceptance that an earlier owner recorded. */
interface Recorded {
  readonly path: string;
  readonly record: HistoryRecord;
}

/** An update that may be accepted. */
interface Judged {
  readonly update: OpenUpdate;
  readonly handling: UpdateHandling;
  readonly raw: unknown;
  readonly verdict: Verdict<unknown> | undefined;
}

/** The updates of one body (BU1 to BU5). */
export class BodyUpdates {
  readonly #runId: string;
  /** Of the body as a whole. */
  readonly #site: CallSite;
  readonly #runs: () => HandlerRuns;
  readonly #handlers = new Map<string, UpdateHandling>();
  /** Acceptances of earlier owners whose handlers are not registered, by their names in paths. */
  readonly #recorded = new Map<string, Recorded[]>();
  /** Not accepted, in the order in which they came. */
  readonly #pending: OpenUpdate[] = [];
  #latest = 0;
  /** Ids of those that are accepted and not answered. */
  readonly #unanswered = new Set<string>();
  #isOpen = false;
  #isPumping = false;
  /** Acceptances on their way. */
  #accepting = 0;
  #whenAccepted: (() => void)[] = [];
  #whenJudged: (() => void)[] = [];

  constructor(
    {
      runId,
      history,
      updates,
    }: {
      readonly runId: string;
      readonly history: readonly (readonly [path: string, record: HistoryRecord])[];
      readonly updates: readonly OpenUpdate[];
    },
    site: CallSite,
    runs: () => HandlerRuns,
  ) {
    this.#runId = runId;
    this.#site = site;
    this.#runs = runs;
    for (const [path, record] of history) {
      if (record.kind !== "update") continue;
      const name = nameInPath(path);
      const found = this.#recorded.get(name);
      if (found === undefined) this.#recorded.set(name, [{ path, record }]);
      else found.push({ path, record });
    }
    for (const update of updates) this.#take(update);
  }

  /** Number of the update that came last. */
  get latest(): number {
    return this.#latest;
  }

  /** Undefined when every update that has come is accepted or refused; else resolves when another look is worth while. */
  judged(): Promise<void> | undefined {
    if (this.#pending.length === 0 && !this.#isPumping) return undefined;
    return new Promise((resolve) => this.#whenJudged.push(resolve));
  }

  /** The body has begun: what it registers before it waits is there. */
  begin(): void {
    this.#isOpen = true;
    this.#pump();
  }

  /** The body has returned, or has failed (BU5). */
  returned(): void {
    this.#isOpen = false;
  }

  /** From now on this handles the updates of its name. */
  handle(handling: UpdateHandling): void {
    const name = escapedName(handling.name);
    this.#handlers.set(handling.name, handling);
    this.#site.body.hasHandlers = true;
    const recorded = this.#recorded.get(name) ?? [];
    this.#recorded.delete(name);
    for (const each of recorded) this.#resume(each);
    this.#pump();
  }

  /** The run has another update. */
  arrived(update: OpenUpdate): void {
    this.#take(update);
    this.#pump();
  }

  /** A snapshot has taken the place of events: these are not answered. */
  reset(updates: readonly OpenUpdate[]): void {
    for (const update of updates) this.#take(update);
    this.#pump();
  }

  /** Updates come in their order, and some a second time: by the state that was read, and by an event. */
  #take(update: OpenUpdate): void {
    if (update.number <= this.#latest) return;
    this.#latest = update.number;
    if (update.isAccepted) this.#unanswered.add(update.id);
    else this.#pending.push(update);
  }

  get #accepts(): boolean {
    const { interruption } = this.#site.body.parts;
    return this.#isOpen && !interruption.isClosed && interruption.cancelled === undefined;
  }

  #pump(): void {
    if (this.#isPumping || !this.#accepts || this.#pending.length === 0) return;
    this.#isPumping = true;
    const done = (): void => {
      this.#isPumping = false;
      for (const resolve of this.#whenJudged.splice(0)) resolve();
    };
    void outsideBodies(() => this.#acceptAll()).then(done, done);
  }

  async #acceptAll(): Promise<void> {
    const { history } = this.#site;
    await new Promise<void>((resolve) => history.whenAllAsked(resolve));
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      const judged = await this.#judged(next);
      if (judged !== undefined) {
        const isValidated = judged.handling.validate !== undefined;
        if (isValidated) await this.#nextTurn();
        for (let wait = this.#before(isValidated); wait !== undefined; wait = this.#before(isValidated)) await wait;
      }
      if (!this.#accepts) return;
      // From here on in one turn: what was found of the body holds until the acceptance is on its way (BU2).
      this.#pending.shift();
      if (judged !== undefined && this.#passes(judged)) this.#runs().track(() => this.#accept(judged));
    }
  }

  /** Undefined when the update is refused. */
  async #judged(update: OpenUpdate): Promise<Judged | undefined> {
    const { name, input } = update;
    if (!this.#handlers.has(name)) await this.#rest();
    const handling = this.#handlers.get(name);
    if (handling === undefined) {
      const known = [...this.#handlers.keys()].sort().join(", ") || "none";
      const text = `Run ${this.#runId} has no handler for update ${name} by now. It has these: ${known}. Correct the name, or call ctx.onUpdate before the body waits.`;
      if (this.#accepts) this.#refuse(update, "UPDATE_UNKNOWN", text);
      return undefined;
    }
    try {
      const raw = decodeValue(input, `the input of update ${name}`);
      if (handling.input === undefined) return { update, handling, raw, verdict: undefined };
      const verdict = await asked(this.#runs().site, this.#question(update, handling.input, raw));
      if (!verdict.ok) throw verdict.error;
      return { update, handling, raw, verdict };
    } catch (error) {
      this.#refuse(update, "UPDATE_REJECTED", messageOf(error));
      return undefined;
    }
  }

  /** Asks the validator (BU1). */
  #passes({ update, handling, raw, verdict }: Judged): boolean {
    const { validate, name } = handling;
    if (validate === undefined) return true;
    try {
      inPlaceOf(this.#runId, name, () => validate(verdict?.ok === true ? verdict.value : raw));
      return true;
    } catch (error) {
      this.#refuse(update, "UPDATE_REJECTED", messageOf(error));
      return false;
    }
  }

  /** What an acceptance waits for; with a validator, whatever is on its way that it is to see. Undefined when it may be proposed in this turn. */
  #before(isValidated: boolean): Promise<unknown> | undefined {
    const { body, history } = this.#site;
    if (!this.#accepts) return undefined;
    if (isValidated && this.#accepting > 0) return new Promise<void>((resolve) => this.#whenAccepted.push(resolve));
    const rest = isValidated ? untilRest(body.parts) : undefined;
    return rest === undefined ? history.staged() : rest.then(() => this.#nextTurn());
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => this.#site.clock.soon(resolve));
  }

  async #rest(): Promise<void> {
    const { parts } = this.#site.body;
    for (let rest = untilRest(parts); rest !== undefined; rest = untilRest(parts)) await rest;
  }

  #question({ name, number }: OpenUpdate, schema: StandardSchemaV1, raw: unknown): Question {
    return { path: updatePath(name, number), schema, raw, subject: updateInputOf(name) };
  }

  /** Never rejects. The first part is in the turn of the call: what {@link #ready} has found holds (BU2). */
  async #accept({ update, handling, raw, verdict }: Judged): Promise<void> {
    const { site } = this.#runs();
    const { body, history } = site;
    const { interception, interruption } = body.parts;
    const { id, name, number } = update;
    const path = updatePath(name, number);
    let isRecorded = false;
    this.#accepting += 1;
    try {
      const accepted: AcceptedUpdate = {
        id,
        name,
        ...(raw === undefined ? {} : { input: raw }),
        ...(verdict === undefined || handling.input === undefined || (verdict.ok && isCarried(verdict.value, raw))
          ? {}
          : { parsed: parsedOf(site, verdict, this.#question(update, handling.input, raw)) }),
      };
      const value = encodeValue(accepted, path, Number.POSITIVE_INFINITY);
      interception?.callBegins(path, "update", false);
      const propose = (): Promise<HistoryRecord | undefined> => history.acceptUpdate({ id, path, value });
      isRecorded = (await body.receipt(() => site.fresh(path, propose))) !== undefined;
      if (!isRecorded || interruption.isOver) return;
      this.#unanswered.add(id);
      await this.#run(path, accepted, { isReplay: false, verdict });
    } catch (error) {
      if (!isRecorded && !interruption.isOver) this.#refuse(update, "UPDATE_REJECTED", messageOf(error));
    } finally {
      if (!isRecorded) this.#accepted();
    }
  }

  #accepted(): void {
    this.#accepting -= 1;
    for (const resolve of this.#whenAccepted.splice(0)) resolve();
  }

  /** An earlier owner accepted it (BU3). */
  #resume({ path, record }: Recorded): void {
    const { site } = this.#runs();
    const { interception, interruption } = site.body.parts;
    const found = site.history.find(path, "update");
    if (found === undefined) return;
    interception?.callBegins(path, "update", true);
    this.#runs().track(async () => {
      await site.body.recorded(record.position);
      if (!interruption.isOver) await this.#run(path, acceptedIn(record, path), { isReplay: true, verdict: undefined });
    });
  }

  /** Runs the handler, from the turn of the acceptance on, and answers. Never rejects. */
  async #run(
    path: string,
    accepted: AcceptedUpdate,
    { isReplay, verdict }: { readonly isReplay: boolean; readonly verdict: Verdict<unknown> | undefined },
  ): Promise<void> {
    const { site } = this.#runs();
    const { interception, interruption, onDiverged } = site.body.parts;
    const { id, name, input: raw, parsed } = accepted;
    if (!isReplay) this.#accepted();
    // A body that is held begins nothing, and does not end either; the next owner finds the record.
    if (interruption.isClosed) return never();
    interception?.callAnswered(path, "update", isReplay);
    site.body.answers += 1;
    const handling = this.#handlers.get(name);
    if (handling === undefined) return;
    const { input: schema, output, handler, inPlace } = handling;
    try {
      const answer = await this.#runs().begin(path, inPlace, async (ctx) => {
        const question = schema === undefined ? undefined : { path, schema, raw, subject: updateInputOf(name) };
        const given =
          parsed === undefined || question === undefined ? raw : await parsedValue(site, question, parsed, verdict);
        return await handler(ctx, given);
      });
      const checked = output === undefined ? answer : await validated(output, answer, updateOutputOf(name));
      const value = encodeValue(checked, `the answer to update ${name}`, site.maxPayloadBytes);
      await this.#answer(id, "completed", value);
    } catch (error) {
      if (error instanceof NonDeterminismError) {
        onDiverged(error);
        return never();
      }
      const failure = encodeValue(recordedError(error), `the failure of update ${name}`, Number.POSITIVE_INFINITY);
      await this.#answer(id, "failed", failure).catch(() => {});
    }
  }

  /** BU4. */
  async #answer(id: string, verdict: "completed" | "failed", value: Uint8Array): Promise<void> {
    const { history } = this.#site;
    if (!this.#unanswered.has(id)) return;
    await history.concludeUpdate({ id, verdict, value });
    this.#unanswered.delete(id);
  }

  #refuse({ id }: OpenUpdate, code: UpdateRefusalCode, message: string): void {
    const { history } = this.#site;
    // Where the log takes no refusal, the update stays, and the next owner finds it.
    history.concludeUpdate({ id, verdict: "rejected", value: encodeRefusal(code, message) }).catch(() => {});
  }
}

function parsedOf(site: CallSite, verdict: Verdict<unknown>, question: Question): ParsedRecord {
  return decodeValue(parsedBytes(site, verdict, question), question.path) as ParsedRecord;
}

/** Calls a validator, in a place of its own. Throws what it throws. */
function inPlaceOf(runId: string, name: string, validate: () => unknown): void {
  const place = new PlacedBody(runId, () => {});
  const given = outsideBodies(() => inFunctionOf(place, `the validator of update ${name}`, 0, validate));
  if (!(given instanceof Promise)) return;
  given.catch(() => {});
  throw new TypeError(
    `The validator of update ${name} gives a promise, and must answer at once. Correct the workflow.`,
  );
}

function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return "Something that cannot be shown as text was thrown.";
  }
}
