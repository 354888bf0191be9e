/** Carries out the actions of one scope of a program, those within it included. */
import { CancelledError, type Saga, type StepContext, saga, type WorkflowContext } from "@raftoral/workflow";
import type { Paths } from "../program/paths.ts";
import type { Action } from "../program/program.ts";
import { type BodySite, nameOf } from "./body-site.ts";
import {
  beginDetached,
  performChild,
  performStep,
  performToken,
  performVariable,
  performWait,
} from "./simple-actions.ts";

type Of<Do extends Action["do"]> = Action & { readonly do: Do };

const UNDO_ATTEMPTS = 2;

/** Interprets actions in one {@link BodySite}. */
export class Interpreter {
  readonly #site: BodySite;

  constructor(site: BodySite) {
    this.#site = site;
  }

  /** What an action gives. Throws what it throws. */
  async perform(action: Action): Promise<unknown> {
    const site = this.#site;
    try {
      const gave = await this.#perform(action);
      site.answered(gave);
      return gave;
    } catch (error) {
      site.answered(nameOf(error));
      throw error;
    }
  }

  async #perform(action: Action): Promise<unknown> {
    const site = this.#site;
    const { ctx } = site;
    switch (action.do) {
      case "step":
        return await performStep(site, action);
      case "sequence": {
        const results: unknown[] = [];
        for (const one of action.actions) results.push(await this.perform(one));
        return results;
      }
      case "all":
        return await Promise.all(this.#branches(action.branches));
      case "race":
        return await Promise.race(this.#branches(action.branches));
      case "any":
        return await Promise.any(this.#branches(action.branches));
      case "allSettled":
        return (await Promise.allSettled(this.#branches(action.branches))).map((one) =>
          one.status === "fulfilled" ? { gave: one.value ?? null } : { failed: nameOf(one.reason) },
        );
      case "contest":
        return await this.#contest(action);
      case "scope":
        return await this.#scope(action);
      case "abort":
        return await this.#abort(action);
      case "shield":
        return await this.#shield(action);
      case "condition":
        return await this.#condition(action);
      case "saga":
        return await this.#saga(action);
      case "map":
        return await this.#map(action);
      case "loop": {
        const results: unknown[] = [];
        for (let round = 0; round < action.times; round++) results.push(await this.perform(action.body));
        return results;
      }
      case "patched":
        return await this.#patched(action);
      case "variable":
        return await performVariable(site, action);
      case "sleep":
        await site.told(ctx.sleep(action.ms));
        return "slept";
      case "child":
        return await performChild(site, action);
      case "wait":
        return await performWait(site, action);
      case "token":
        return await performToken(site, action);
      case "random":
        return [ctx.random(), ctx.uuid()];
      case "now":
        return typeof (await site.told(ctx.now()));
      case "try":
        return await this.#try(action);
      case "detached":
        beginDetached(site, action);
        return "begun";
      case "noise":
        for (let turn = 0; turn < action.turns; turn++) await Promise.resolve();
        return "noise";
      case "throw":
        throw action.cancels ? new CancelledError("from within") : new Error("on purpose");
    }
  }

  #inside(ctx: WorkflowContext, paths: Paths): Interpreter {
    return new Interpreter(this.#site.inside(ctx, paths));
  }

  #branches(actions: readonly Action[]): readonly Promise<unknown>[] {
    const { ctx, paths } = this.#site;
    return actions.map((action) => {
      const own = paths.scope("branch");
      return ctx.scope("branch", (branch) => this.#inside(branch, own).perform(action));
    });
  }

  async #contest({ branches }: Of<"contest">): Promise<unknown> {
    const { ctx, paths } = this.#site;
    const named = branches.map((action, at) => {
      const own = paths.scope(`lane-${at}`);
      return [`lane-${at}`, (lane: WorkflowContext) => this.#inside(lane, own).perform(action)] as const;
    });
    const { winner, value } = await ctx.race(Object.fromEntries(named));
    return { winner, value: value ?? null };
  }

  #scope({ name, body, concurrency, timeoutMs }: Of<"scope">): Promise<unknown> {
    const { ctx, paths } = this.#site;
    const own = paths.scope(name);
    const limits = {
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    };
    return ctx.scope(name, (inner) => this.#inside(inner, own).perform(body), limits);
  }

  async #abort({ body, afterMs }: Of<"abort">): Promise<unknown> {
    const { ctx, paths } = this.#site;
    const controller = new AbortController();
    const own = paths.scope("abortable");
    const work = ctx.scope("abortable", (inner) => this.#inside(inner, own).perform(body), {
      signal: controller.signal,
    });
    const late = this.#site.told(ctx.sleep(afterMs)).then(() => controller.abort(new Error("aborted")));
    await Promise.allSettled([work, late]);
    return await work;
  }

  #shield({ body, timeoutMs }: Of<"shield">): Promise<unknown> {
    const { ctx, paths } = this.#site;
    const own = paths.scope("shield");
    return ctx.shield((inner) => this.#inside(inner, own).perform(body), { timeout: timeoutMs });
  }

  async #condition({ body, timeoutMs }: Of<"condition">): Promise<unknown> {
    const { ctx, paths } = this.#site;
    let isDone = false;
    const own = paths.scope("work");
    const work = ctx
      .scope("work", (inner) => this.#inside(inner, own).perform(body))
      .finally(() => {
        isDone = true;
      });
    const holds = (): boolean => isDone;
    const held = timeoutMs === undefined ? ctx.condition(holds) : ctx.condition(holds, { timeout: timeoutMs });
    const [gave, seen] = await Promise.allSettled([work, this.#site.told<unknown>(held)]);
    if (gave.status === "rejected") throw gave.reason;
    if (seen.status === "rejected") throw seen.reason;
    return { gave: gave.value ?? null, held: seen.value ?? true };
  }

  async #saga(action: Of<"saga">): Promise<unknown> {
    const { ctx, paths, probe } = this.#site;
    const own = paths.scope("saga");
    try {
      const gave = await saga(ctx, (steps) => this.#inside(steps.ctx, own).#book(steps, action));
      probe.saga(ctx, own.prefix, "kept");
      return gave;
    } catch (error) {
      probe.saga(ctx, own.prefix, "undone");
      throw error;
    }
  }

  /** In the scope of the saga. */
  async #book(steps: Saga, { bookings, body, fails, undoFailures }: Of<"saga">): Promise<unknown> {
    const site = this.#site;
    const { ctx, paths, probe } = site;
    const undo = (_booked: unknown, step: StepContext): void => {
      probe.stepCalled(ctx, step.idempotencyKey, site.course);
      if (step.attempt <= undoFailures) throw new Error("the undo fails");
    };
    const undoOptions = { retry: { attempts: UNDO_ATTEMPTS, initialDelay: 10, jitter: 0 } };
    for (let at = 0; at < bookings; at++) {
      const name = `book-${at}`;
      const { course } = site;
      const call = (step: StepContext): number => {
        probe.stepCalled(ctx, step.idempotencyKey, course);
        return at;
      };
      site.answered(await site.told(steps.step(name, call, { undo, undoOptions }), paths.next(name)));
      probe.saga(ctx, paths.prefix, "booked", name);
    }
    const gave = await this.perform(body);
    if (fails) throw new Error("the saga fails");
    return gave;
  }

  #map({ items, concurrency, body }: Of<"map">): Promise<unknown> {
    const { ctx, paths } = this.#site;
    const list = Array.from({ length: items }, (_, at) => at);
    const own = paths.scope("map");
    return ctx.map(list, (item, at) => this.#inside(item, own.item(at)).perform(body), { concurrency });
  }

  async #patched({ id, before, now }: Of<"patched">): Promise<unknown> {
    const { ctx, shared } = this.#site;
    const isNew = !shared.isOld && ctx.patched(id);
    return { [id]: isNew, gave: (await this.perform(isNew ? now : before)) ?? null };
  }

  async #try({ body, caught, finally: last }: Of<"try">): Promise<unknown> {
    const results: unknown[] = [];
    try {
      results.push(await this.perform(body));
    } catch (error) {
      results.push(nameOf(error));
      if (caught === undefined) throw error;
      results.push(await this.perform(caught));
    } finally {
      if (last !== undefined) results.push(await this.perform(last));
    }
    return results;
  }
}
