/**
 * What must hold for every program under every disturbance.
 *
 * P1  ended            Every run ends.
 * P2  as-undisturbed   A program whose course is exact ends as it does undisturbed, with the same records.
 * P3  recorded-once    No path is recorded twice, and a run ends once.
 * P4  ran-again        No function of a step is called after its record is committed.
 * P5  signal-once      Each signal is received at one place, signals of a name in the order in which they were sent and without a gap.
 * P6  replicas-equal   All nodes have the same record of the run.
 * P7  unhandled        No rejection is left to the process.
 * P8  lost             No call settles in a body on a node that knows that it has lost the run.
 * P9  replays-same     The exported history replays as the same on unchanged code.
 * P10 seen-outside     Whenever a step's function is called, the code before it was answered alike: what is seen outside is committed.
 * P11 own-failure      A run fails only as its program may, and is cancelled only when somebody asked.
 * P12 cancelled-last   A cancelled body has heard of every step that is recorded before its cancellation, answered or left behind, before its first CancelledError.
 * P13 ends-when-told   A cancelled body that ends when it is told ends its run before the grace is over, on a full node, too.
 * P14 engine-error     No node logs an error.
 * P15 chunks-once      Chunks of the body are in their stream once, in the order in which each scope wrote them, and none is missing; all nodes have the same.
 * P16 queried-same     A query of a run that has completed shows what its body was answered with.
 * P17 undone-in-order  A saga that failed, also because its run was cancelled, has undone what it was told is booked, each once, in reverse order, and nothing else.
 * P18 generations      A run that has completed has come through all of its generations.
 * P19 updates-once     Each update is executed once, and answered as a body that is run again says; an update is refused only because its run has ended, and fails only in a run that something cancelled, or that did not complete.
 *
 * For scenarios (scenarios/scenario.ts), besides P1, P7 and P14:
 *
 * P20 calls-once       Each exclusive call of an object is carried out once, after the one before it has ended, and its callers are answered so; a deleted object has no state.
 * P21 chunks-in-order  A reader that goes on at its next offset, on whatever node, gets each chunk once, in order and without a gap.
 * P22 within-limits    By the times of the log, the runs of a queue that are under way are at most as many as its limits allow, and all come to their end.
 * P23 occurrence-once  Each occurrence of a schedule has one run, and nothing begins before its time.
 * P24 mended           A run that operators mend gives what the model makes of what they do; no path is recorded twice, and a deleted run is gone.
 */
export const PROGRAM_INVARIANTS = [
  "ended",
  "as-undisturbed",
  "recorded-once",
  "ran-again",
  "signal-once",
  "replicas-equal",
  "unhandled",
  "lost",
  "replays-same",
  "seen-outside",
  "own-failure",
  "cancelled-last",
  "ends-when-told",
  "engine-error",
  "chunks-once",
  "queried-same",
  "undone-in-order",
  "generations",
  "updates-once",
  "calls-once",
  "chunks-in-order",
  "within-limits",
  "occurrence-once",
  "mended",
] as const;

/** Name of an invariant of programs. */
export type ProgramInvariant = (typeof PROGRAM_INVARIANTS)[number];

/** An invariant that did not hold. */
export interface ProgramFinding {
  readonly invariant: ProgramInvariant;
  readonly message: string;
}
