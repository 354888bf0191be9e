/** Plans of disturbances for a program, from how its undisturbed run went. */
import { DISTURBANCE_KINDS, type DisturbanceKind } from "raftoral/testing";
import type { Below } from "./program/draw-program.ts";

/** What is done to one run of a program. */
export interface Plan {
  /** Disturbances as `disturb` of the kit reads them; empty for none. */
  readonly plan: string;
  /** Whether every few entries become a snapshot, so that nodes that come back begin with one. */
  readonly snapshots: boolean;
  /** Whether a node executes one body at a time, and another run takes the slot before this one is cancelled. */
  readonly isCrowded: boolean;
  /** Whether another node leads than the one that is asked, and owns the run at first (no). */
  readonly isRemote?: boolean;
  /** Whether the nodes encrypt every value (no). */
  readonly isCoded?: boolean;
  /** The entry with records of the run after which all processes are replaced by others with the code of today; the first ones have that from before all changes. */
  readonly deploysAt?: number;
}

/** No disturbance. */
export const UNDISTURBED: Plan = Object.freeze({ plan: "", snapshots: false, isCrowded: false });
/** The run is cancelled on a node whose slots are taken. */
export const CROWDED: Plan = Object.freeze({ plan: "", snapshots: false, isCrowded: true });

type When = "before" | "proposed" | "after";

/** What is done at every place in the log: in the owner's process before anything left it, with the others, and when it is applied. */
const AT_COMMITS: readonly (readonly [kind: DisturbanceKind, when: When, snapshots: boolean])[] = [
  ["kill-owner", "before", false],
  ["kill-owner", "proposed", false],
  ["kill-owner", "after", false],
  ["cut-off-owner", "before", false],
  ["cut-off-owner", "after", true],
  ["transfer", "proposed", false],
  ["drain-owner", "after", false],
  ["power-cut", "after", true],
  ["evict", "after", false],
  ["lose", "before", false],
];

const WHENS: readonly When[] = ["before", "proposed", "after"];

/** Entries with records at which one program is disturbed: loops of maps make hundreds, and each is disturbed in ten ways. */
const MOST_PLACES = 21;

/**
 * One disturbance at every place in the log of a run with so many entries: of its records, its start and its end. Of more than {@link MOST_PLACES} entries it
 * takes that many, from the first to the last.
 */
export function plansForEveryPlace(commits: number): readonly Plan[] {
  const places = [...spread(commits, MOST_PLACES).map((nth) => `commit:${nth}`), "start:1", "end:1"];
  return places.flatMap((place, nth) =>
    AT_COMMITS.map(([kind, when, snapshots], at) => {
      // Proposals travel, and can be lost on their way, where the owner does not lead.
      const isRemote = kind === "lose" || (nth + at) % 2 === 1;
      return { plan: `${kind}@${place}:${when}`, snapshots, isCrowded: false, isRemote };
    }),
  );
}

/** New code at so many entries of a run with `commits` of them at most, from the first to the last. */
const MOST_DEPLOYS = 4;

/** New code in the middle of a run with so many entries. */
export function deploys(commits: number): readonly Plan[] {
  return spread(commits, MOST_DEPLOYS).map((deploysAt) => ({ ...UNDISTURBED, deploysAt }));
}

/** At most `most` of the numbers from 1 to `count`, from the first to the last. */
function spread(count: number, most: number): readonly number[] {
  const taken = Math.min(count, most);
  return Array.from({ length: taken }, (_, at) => 1 + Math.floor((at * (count - 1)) / Math.max(1, taken - 1)));
}

/** A plan in words. */
export function planText({ plan, snapshots, isCrowded, isRemote = false, isCoded = false, deploysAt }: Plan): string {
  const parts = [
    ...(plan === "" ? [] : [plan]),
    ...(deploysAt === undefined ? [] : [`new code after entry ${deploysAt}`]),
    ...(snapshots ? ["a snapshot every 4 entries"] : []),
    ...(isCrowded ? ["a cancellation on a full node"] : []),
    ...(isRemote ? ["another node in the lead"] : []),
    ...(isCoded ? ["every value encrypted"] : []),
  ];
  return parts.join(", with ") || "nothing";
}

/** A plan of one to three random disturbances, of these kinds. */
export function drawPlan(
  below: Below,
  { calls, commits }: { readonly calls: number; readonly commits: number },
  kinds: readonly DisturbanceKind[] = DISTURBANCE_KINDS,
): Plan {
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const one = (): string => {
    const kind = pick(kinds);
    switch (below(5)) {
      case 0:
      case 1:
        return `${kind}@call:${1 + below(Math.max(1, calls))}:${pick(["begins", "answered"])}`;
      case 2:
      case 3:
        return `${kind}@commit:${1 + below(Math.max(1, commits))}:${pick(WHENS)}`;
      default:
        return `${kind}@${pick(["start", "end"])}:1:${pick(WHENS)}`;
    }
  };
  const plan = Array.from({ length: 1 + below(3) }, one).join("; ");
  return { plan, snapshots: below(3) === 0, isCrowded: false, isRemote: below(2) === 0 };
}
