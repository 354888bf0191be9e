/**
 * Updates of one body: on their way from a caller, through the record, to a handler, and back.
 *
 * BU1. An update is accepted when a handler of its name is there and the validator, if there is one, has let it pass. A validator sees what the record leads to: the
 *      body rests then, all that it was answered with is committed, and no update is on its way before this one.
 * BU2. The acceptance is a record, and its turn among the answers begins the handler. While it is on its way, the body goes on before no commit
 *      (body-calls.ts BC2), and nothing is staged when it is proposed: so the log's order is that of the body's course.
 * BU3. A recorded acceptance is asked for when its handler is registered, which on a replay happens at the same place of the body's course.
 * BU4. The answer is proposed when all is committed that it may depend on. A replay whose handler ends again answers nothing that is answered.
 * BU5. A body that has returned accepts calls of bodies that its handlers may wait for (late-calls.ts), and nothing else. One that has failed, or whose run somebody has
 *      asked to cancel, accepts nothing more.
 * BU6. Updates of one name are accepted in the order in which they came. An update whose schema takes its time holds up no other name, and is refused when the time is over.
 * BU7. An exclusive handler waits for those before it. A call that would wait for the handler that it follows from is refused.
 */
import { NonDeterminismError } from "../../author/errors/errors.ts";
import { recordedError } from "../../author/errors/recorded-error.ts";
import { escapedName } from "../../author/step-path.ts";
import { encodeValue } from "../../author/values/json-value.ts";
import { updateInputOf, updateOutputOf, type Verdict, validated } from "../../author/values/schema.ts";
import type { HistoryRecord } from "../../model/record.ts";
import { type OpenUpdate, OWN_PREFIX } from "../../model/update.ts";
import { outsideBodies } from "../body/body-place.ts";
import { untilRest } from "../body/body-rest.ts";
import type { CallSite } from "../calls/call-site.ts";
import { parsedValue } from "../calls/parsed.ts";
import { never } from "../history/history.ts";
import { CallCircles } from "./call-circles.ts";
import type { HandlerRuns } from "./handler-runs.ts";
import { LateCalls } from "./late-calls.ts";
import {
  acceptedOf,
  type Judged,
  judgedUpdate,
  messageOf,
  type UpdateHandling,
  validateInPlace,
} from "./update-judging.ts";
import {
  type AcceptedUpdate,
  acceptedBytes,
  acceptedIn,
  encodeRefusal,
  nameInPath,
  type UpdateRefusalCode,
  updatePath,
} from "./update-record.ts";

/** An acceptance that an earlier owner recorded. */
interface Recorded {
  readonly path: string;
  readonly record: HistoryRecord;
}

/** How far an update is before it is accepted: its handler and its schema have been asked, or are being asked. */
type Judgement = Judged | "asked";

/** The updates of one body (BU1 to BU7). */
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
  /** Of these, by number. */
  readonly #judgements = new Map<number, Judgement>();
  readonly #late = new LateCalls();
  readonly #circles: CallCircles;
  #latest = 0;
  /** Ids of those that are accepted and not answered. */
  readonly #unanswered = new Set<string>();
  #state: "waiting" | "open" | "returned" | "failed" = "waiting";
  #isPumping = false;
  /** Acceptances on their way. */
  #accepting = 0;
  #whenAccepted: (() => void)[] = [];
  #whenJudged: (() => void)[] = [];

  constructor(
    {
      runId,
      startIndex,
      history,
      updates,
    }: {
      readonly runId: string;
      readonly startIndex: number;
      readonly history: readonly (readonly [path: string, record: HistoryRecord])[];
      readonly updates: readonly OpenUpdate[];
    },
    site: CallSite,
    runs: () => HandlerRuns,
    awaits: (path: string) => boolean,
  ) {
    this.#runId = runId;
    this.#site = site;
    this.#runs = runs;
    this.#circles = new CallCircles({ runId, startIndex }, this.#handlers, awaits);
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

  /** Undefined when every update that the body takes is accepted or refused; else resolves when another look is worth while. */
  judged(): Promise<void> | undefined {
    if (!this.#isPumping && !this.#pending.some((update) => this.#takes(update))) return undefined;
    return new Promise((resolve) => this.#whenJudged.push(resolve));
  }

  /** The body has begun: what it registers before it waits is there. */
  begin(): void {
    this.#state = "open";
    this.#pump();
  }

  /** The body has returned, or has failed (BU5). */
  returned(hasFailed: boolean): void {
    this.#state = hasFailed ? "failed" : "returned";
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

  /** Whether the body accepts the update, if its handler does (BU5). */
  #takes({ calledBy }: OpenUpdate): boolean {
    const { interruption } = this.#site.body.parts;
    if (interruption.isClosed || interruption.cancelled !== undefined) return false;
    if (this.#state !== "returned") return this.#state === "open";
    return calledBy !== undefined && this.#handlers.size > 0 && this.#late.takes(calledBy, this.#runs().open);
  }

  #pump(): void {
    if (this.#isPumping || !this.#pending.some((update) => this.#takes(update))) return;
    this.#isPumping = true;
    void outsideBodies(() => this.#acceptAll());
  }

  #looked(): void {
    for (const resolve of this.#whenJudged.splice(0)) resolve();
  }

  /** Accepts what may be accepted now. In the turn in which it finds nothing more, another look may begin. */
  async #acceptAll(): Promise<void> {
    const { history } = this.#site;
    try {
      await new Promise<void>((resolve) => history.whenAllAsked(resolve));
      for (let judged = this.#next(); judged !== undefined; judged = this.#next()) await this.#acceptNext(judged);
    } finally {
      this.#isPumping = false;
      this.#looked();
    }
  }

  async #acceptNext(judged: Judged): Promise<void> {
    const { update, handling } = judged;
    const isValidated = handling.validate !== undefined;
    if (isValidated) await this.#nextTurn();
    for (let wait = this.#before(judged, isValidated); wait !== undefined; wait = this.#before(judged, isValidated))
      await wait;
    if (!this.#takes(update)) return;
    // From here on in one turn: what was found of the body holds until the acceptance is on its way (BU2).
    this.#forget(update);
    if (!this.#passes(judged)) return;
    const { calledBy: origin, name, number } = update;
    if (this.#state === "returned") this.#late.accepted();
    this.#runs().track({ path: updatePath(name, number), origin }, () => this.#accept(judged));
  }

  /** The first update that may be accepted now. Asks for the judgement of those that have none (BU6). */
  #next(): Judged | undefined {
    const waiting = new Set<string>();
    for (const update of [...this.#pending]) {
      const { name, number } = update;
      if (!this.#takes(update)) continue;
      const judgement = this.#judgements.get(number) ?? this.#judge(update);
      if (judgement !== "asked" && !waiting.has(name)) return judgement;
      waiting.add(name);
    }
    return undefined;
  }

  /** What comes of it begins another look. */
  #judge(update: OpenUpdate): "asked" {
    this.#judgements.set(update.number, "asked");
    void this.#judged(update).then((judged) => {
      if (judged === undefined) this.#forget(update);
      else if (this.#judgements.has(update.number)) this.#judgements.set(update.number, judged);
      this.#pump();
      if (!this.#isPumping) this.#looked();
    });
    return "asked";
  }

  #forget(update: OpenUpdate): void {
    this.#judgements.delete(update.number);
    const at = this.#pending.indexOf(update);
    if (at !== -1) this.#pending.splice(at, 1);
  }

  /** Undefined when the update is refused. Never rejects. */
  async #judged(update: OpenUpdate): Promise<Judged | undefined> {
    const { name, calledBy } = update;
    if (!this.#handlers.has(name)) await this.#rest();
    const handling = this.#handlers.get(name);
    if (handling === undefined) {
      const names = [...this.#handlers.keys()].filter((each) => !each.startsWith(OWN_PREFIX));
      const known = names.sort().join(", ") || "none";
      const text = `Run ${this.#runId} has no handler for update ${name} by now. It has these: ${known}. Correct the name, or call ctx.onUpdate before the body waits.`;
      if (this.#takes(update)) this.#refuse(update, "UPDATE_UNKNOWN", text);
      return undefined;
    }
    const circle = this.#circles.closedBy(handling, calledBy);
    if (circle !== undefined) {
      this.#refuse(update, "CALL_CIRCULAR", circle);
      return undefined;
    }
    try {
      return await judgedUpdate(this.#runs().site, update, handling);
    } catch (error) {
      this.#refuse(update, "UPDATE_REJECTED", messageOf(error));
      return undefined;
    }
  }

  /** Asks the validator (BU1). */
  #passes(judged: Judged): boolean {
    try {
      validateInPlace(this.#runId, judged);
      return true;
    } catch (error) {
      this.#refuse(judged.update, "UPDATE_REJECTED", messageOf(error));
      return false;
    }
  }

  /** What an acceptance waits for; with a validator, whatever is on its way that it is to see. Undefined when it may be proposed in this turn. */
  #before({ update }: Judged, isValidated: boolean): Promise<unknown> | undefined {
    const { body, history } = this.#site;
    if (!this.#takes(update)) return undefined;
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

  /** Never rejects. The first part is in the turn of the call: what {@link #ready} has found holds (BU2). */
  async #accept(judged: Judged): Promise<void> {
    const { update, verdict } = judged;
    const { site } = this.#runs();
    const { body, history } = site;
    const { interception, interruption } = body.parts;
    const { id, name, number } = update;
    const path = updatePath(name, number);
    let isRecorded = false;
    this.#accepting += 1;
    try {
      const accepted = acceptedOf(site, judged);
      const value = acceptedBytes(accepted, path);
      interception?.callBegins(path, "update", false);
      const propose = (): Promise<HistoryRecord | undefined> => history.acceptUpdate({ id, path, value });
      const record = await body.receipt(() => site.fresh(path, propose));
      isRecorded = record !== undefined;
      if (record === undefined || interruption.isOver) return;
      this.#runs().recorded(path, record);
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
    const accepted = acceptedIn(record, path);
    const origin = accepted.calledBy ?? this.#runs().outside(record);
    this.#runs().track({ path, origin }, async () => {
      await site.body.recorded(record.position);
      if (!interruption.isOver) await this.#run(path, accepted, { isReplay: true, verdict: undefined });
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
    const { history, body } = this.#site;
    const refused = (): void => {
      for (const { onRefused } of this.#handlers.values()) onRefused?.();
      body.parts.answers.look();
    };
    // Where the log takes no refusal, the update stays, and the next owner finds it.
    history.concludeUpdate({ id, verdict: "rejected", value: encodeRefusal(code, message) }).then(refused, () => {});
  }
}
