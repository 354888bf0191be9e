/** One run of bare cores: a seed, from the first action to the verdict; or some of its actions again. */
import type { RareState } from "../coverage/rare-states.ts";
import { Random } from "../world/random.ts";
import { Violation } from "../world/violation.ts";
import type { Action } from "./action.ts";
import { CoreGroup } from "./core-group.ts";
import { drawCoreSettings } from "./core-settings.ts";
import { requireRecovery } from "./recovery.ts";
import { Schedule } from "./schedule.ts";
import { Narrator } from "./story.ts";

export interface CoreRunOptions {
  readonly seed: number;
  /** Names of invariants that are not held. */
  readonly ignore?: readonly string[];
  /** These instead of those that the seed chooses. */
  readonly actions?: readonly Action[];
  /** Receives what happens, a line for each action. */
  readonly tell?: (line: string) => void;
}

export interface CoreResult {
  readonly seed: number;
  readonly finding: { readonly invariant: string; readonly message: string; readonly stack: string } | undefined;
  /** What was done, in order, up to the finding or the recovery. */
  readonly actions: readonly Action[];
  /** Messages that left a node. */
  readonly messages: number;
  /** The highest index that was committed. */
  readonly committed: number;
  readonly checks: number;
  readonly rare: ReadonlyMap<RareState, number>;
}

/** Draws for each action, at most: of what is drawn, some cannot be done to anybody. */
const MAX_DRAWN = 10;

/** Carries out one run. A violation is in the result, not thrown. */
export function runCore({ seed, ignore, actions, tell }: CoreRunOptions): CoreResult {
  const random = new Random(seed).fork("core");
  const settings = drawCoreSettings(random.fork("settings"));
  const group = new CoreGroup(settings, random, ignore);
  const narrator = tell === undefined ? undefined : new Narrator(group, tell);
  const done: Action[] = [];
  let finding: CoreResult["finding"];
  /** Does an action and keeps it if it could be done. It is kept before, for it may be the one that finds something. */
  const perform = (action: Action): boolean => {
    done.push(action);
    narrator?.about(action);
    if (!group.perform(action)) {
      done.pop();
      return false;
    }
    narrator?.did(action);
    return true;
  };
  try {
    narrator?.begin();
    if (actions === undefined) {
      const schedule = new Schedule(group, random.fork("schedule"));
      for (let drawn = 0; done.length < settings.actions && drawn < MAX_DRAWN * settings.actions; drawn++) {
        const action = schedule.next();
        if (action !== undefined && perform(action)) schedule.did(action);
      }
    } else {
      for (const action of actions) perform(action);
    }
    narrator?.heal();
    requireRecovery(group);
  } catch (error) {
    finding = findingOf(error);
  }
  const { checks, rare, ledger } = group.invariants;
  const { sent: messages } = group;
  return { seed, finding, actions: done, messages, committed: ledger.lastCommitted, checks, rare: rare.counts };
}

/** What was thrown, as plain data. */
export function findingOf(error: unknown): NonNullable<CoreResult["finding"]> {
  const violation = error instanceof Violation ? error : new Violation("node-stopped", String(error), { cause: error });
  let stack = "";
  for (let at: unknown = violation; at instanceof Error; at = at.cause) stack += `${at.stack ?? String(at)}\n`;
  return { invariant: violation.invariant, message: violation.message, stack };
}
