// Random programs over locks, against the plainest reading of the invariants LG1 to LG5 (state/locks/granting.ts), on a machine, on one that was restored and on one that crashed.
import { MemoryStateStore } from "@raftoral/raft-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AS_KNOWN, grantPath, type LockLimits, MUTEX, releasePath, tokenInGrant } from "../../model/lock.ts";
import type { RecordKind } from "../../model/record.ts";
import { NOTHING, restoredFrom, StateLog } from "../../testing/state-log.ts";
import { WorkflowState } from "../workflow-state.ts";

const NAMES = ["mutex", "pool", "rate"] as const;
type Name = (typeof NAMES)[number];
const LIMITS: Readonly<Record<Name, LockLimits>> = {
  mutex: MUTEX,
  pool: { ...AS_KNOWN, permits: 3 },
  rate: { permits: 0, rateLimit: 2, ratePeriodMs: 1_000, burst: 2 },
};

const action = fc.record({
  kind: fc.constantFrom(
    ...["ask", "ask", "ask", "ask", "run", "run", "run", "release", "release", "release", "give-up", "record-release"],
    ...[
      "expire",
      "expire",
      "expire-late",
      "refill",
      "refill",
      "end",
      "cancel",
      "terminate",
      "continue",
      "retry",
      "delete",
    ],
    ...["define", "forget", "force", "lose", "register", "pause", "resume", "due", "restore"],
  ),
  name: fc.constantFrom(...NAMES),
  permits: fc.integer({ min: 1, max: 4 }),
  pick: fc.nat({ max: 1_000 }),
});
type Action = typeof action extends fc.Arbitrary<infer One> ? One : never;

/** What a program has seen of one ask. */
interface Known {
  readonly name: Name;
  readonly key: string;
  token: number;
}

class Program {
  log: StateLog;
  #asked = 0;
  #late: { readonly name: Name; readonly requestId: string; readonly renewals: number } | undefined;
  /** Those that wait, in the order in which they came, as the program reckons. */
  readonly #waiting = new Map<Name, string[]>(NAMES.map((name) => [name, []]));
  readonly #highest = new Map<Name, number>();
  readonly #tokens = new Set<number>();

  constructor(log = new StateLog()) {
    this.log = log;
    log.register(1);
    log.register(2);
    for (const runId of ["a", "b", "c", "d"]) log.start(runId, 1);
  }

  run({ kind, name, permits, pick }: Action): void {
    const { log } = this;
    const { at: atMs } = log;
    const runs = log.state.list({ limit: 100 }).runs;
    const one = runs[pick % Math.max(1, runs.length)];
    const owned = runs.filter((run) => run.status === "running" && run.owner !== 0);
    const mine = owned[pick % Math.max(1, owned.length)];
    const by = mine && { runId: mine.runId, owner: mine.owner, epoch: mine.epoch, atMs };
    const asks = this.#asks().filter(({ requestId }) => requestId !== "");
    const asked = asks[pick % Math.max(1, asks.length)];
    const request = asked && { name: asked.name, requestId: asked.requestId, atMs };
    const record = (path: string, recordKind: RecordKind, value: Uint8Array): void => {
      if (by !== undefined) log.apply({ kind: "Checkpoint", ...by, path, recordKind, value });
    };
    const limits = pick % 3 === 0 ? AS_KNOWN : LIMITS[name];
    if (kind === "ask") {
      const requestId = pick % 9 === 0 && asked !== undefined ? asked.requestId : `request-${this.#asked++}`;
      const more = { value: "", leaseMs: 1_000, onlyNow: pick % 5 === 0, atMs };
      log.apply({ kind: "LockAcquire", name, limits, requestId, ...more });
    } else if (kind === "run") {
      const ask = { name, limits };
      record(`lock#${pick % 5}`, "lock", new TextEncoder().encode(JSON.stringify(ask)));
    } else if (kind === "give-up") record(grantPath(`lock#${pick % 5}`), "lock-granted", NOTHING);
    else if (kind === "record-release") record(releasePath(`lock#${pick % 5}`), "lock-released", NOTHING);
    else if (kind === "release" && request !== undefined) log.apply({ kind: "LockRelease", ...request, token: 0 });
    else if (kind === "expire" && request !== undefined) this.#expire(request.name as Name, request.requestId);
    else if (kind === "expire-late" && this.#late !== undefined)
      log.apply({ kind: "LocksDue", expired: [this.#late], refilled: [], atMs });
    else if (kind === "refill") this.#refill(name);
    else if (kind === "end" && by !== undefined) log.end(by.runId, by.owner, by.epoch);
    else if (kind === "continue" && by !== undefined) log.apply({ kind: "ContinueAsNew", ...by, input: NOTHING });
    else if (kind === "cancel" && one !== undefined)
      log.apply({ kind: "Cancel", runId: one.runId, reason: "no", atMs });
    else if (kind === "terminate" && one !== undefined)
      log.apply({ kind: "Terminate", runId: one.runId, reason: "no", requestId: "", atMs });
    else if (kind === "retry" && one !== undefined)
      log.apply({
        kind: "Retry",
        runId: one.runId,
        from: pick % 2 === 0 ? "" : "lock#1",
        reason: "",
        requestId: "",
        atMs,
      });
    else if (kind === "delete" && one !== undefined) {
      log.apply({ kind: "Delete", runId: one.runId, atMs });
      log.start(one.runId, 1);
    } else if (kind === "define") {
      const given = name === "rate" ? { ...LIMITS.rate, burst: permits } : { ...AS_KNOWN, permits };
      log.apply({ kind: "LockDefine", name, limits: given, atMs });
    } else if (kind === "forget") log.apply({ kind: "LockDelete", name, atMs });
    else if (kind === "force") {
      const held = this.#asks().filter(({ token }) => token > 0);
      const taken = held[pick % Math.max(1, held.length)];
      if (taken !== undefined)
        log.apply({ kind: "LockRelease", name: taken.name, requestId: "", token: taken.token, by: "ada", atMs });
    } else if (kind === "lose") log.lost(1 + (pick % 2), log.state.nodes()[pick % 2]?.incarnation);
    else if (kind === "register") log.register(1 + (pick % 2), undefined, `process-${pick}`);
    else if (kind === "pause" && one !== undefined)
      log.apply({ kind: "Pause", runId: one.runId, reason: "", isNow: true, atMs, owner: 0, epoch: 0 });
    else if (kind === "resume" && one !== undefined) log.apply({ kind: "Resume", runId: one.runId, atMs });
    else if (kind === "due") log.apply({ kind: "LocksDue", expired: [], refilled: [], atMs });
    else if (kind === "restore") this.crashed(restoredFrom(log.state));
  }

  check(): void {
    const { state } = this.log;
    expect(state.checkLocks()).toEqual([]);
    for (const lock of state.locks({ limit: 10, asks: 1_000 })) {
      const name = lock.name as Name;
      const { permits, burst } = lock.limits;
      const news: Known[] = lock.holders.map((ask) => ({ name, key: keyOf(ask), token: ask.token }));
      const fresh = news.filter(({ token }) => !this.#tokens.has(token));
      // LG1: what is new is within the permits; lower permits take nothing.
      if (fresh.length > 0 && burst === 0) expect(lock.holders.length).toBeLessThanOrEqual(permits);
      for (const { key, token } of fresh) this.#granted(name, key, token);
    }
    for (const { runId } of state.list({ limit: 100, statuses: ["running"] }).runs) {
      for (const path of ["lock#0", "lock#1", "lock#2", "lock#3", "lock#4"]) {
        const [asked, granted] = [state.record(runId, path), state.record(runId, grantPath(path))];
        const token = granted === undefined ? undefined : tokenInGrant(granted.value);
        if (asked === undefined || token === undefined || this.#tokens.has(token)) continue;
        const { name } = JSON.parse(new TextDecoder().decode(asked.value)) as { name: Name };
        this.#granted(name, `${runId}/${path}`, token);
      }
    }
    for (const name of NAMES) {
      const [lock] = state.locks({ name, limit: 1, asks: 1_000 });
      const now = lock?.waiters.map(keyOf) ?? [];
      // LG2: no one is overtaken, and those that came wait behind the others.
      const before = this.#waiting.get(name) ?? [];
      const stayed = before.filter((key) => now.includes(key));
      expect(now.slice(0, stayed.length)).toEqual(stayed);
      this.#waiting.set(name, now);
    }
  }

  /** LG2 and LG4. */
  #granted(name: Name, key: string, token: number): void {
    expect(token).toBeGreaterThan(this.#highest.get(name) ?? 0);
    this.#highest.set(name, token);
    this.#tokens.add(token);
    const waited = this.#waiting.get(name) ?? [];
    const now = this.log.state.locks({ name, limit: 1, asks: 1_000 })[0]?.waiters.map(keyOf) ?? [];
    // Those that waited before it do not wait any more.
    for (const other of waited.slice(0, Math.max(0, waited.indexOf(key)))) expect(now).not.toContain(other);
  }

  crashed(state: WorkflowState): void {
    const { index, at } = this.log;
    this.log = new StateLog(state);
    this.log.index = index;
    this.log.at = at;
  }

  #asks() {
    return this.log.state
      .locks({ limit: 10, asks: 1_000 })
      .flatMap(({ name, holders, waiters }) => [...holders, ...waiters].map((ask) => ({ ...ask, name: name as Name })));
  }

  #expire(name: Name, requestId: string): void {
    const lease = this.log.state
      .lockWatch("")
      .leases.find((each) => each.requestId === requestId && each.name === name);
    if (lease === undefined) return;
    this.#late = { name, requestId, renewals: lease.renewals };
    this.log.apply({ kind: "LocksDue", expired: [this.#late], refilled: [], atMs: this.log.at });
  }

  #refill(name: Name): void {
    const bucket = this.log.state.lockWatch("").buckets.find((each) => each.name === name);
    if (bucket === undefined) return;
    const refilled = [{ name, generation: bucket.generation, refilled: bucket.refilled + 1 }];
    this.log.apply({ kind: "LocksDue", expired: [], refilled, atMs: this.log.at });
  }
}

function keyOf({
  runId,
  path,
  requestId,
}: {
  readonly runId: string;
  readonly path: string;
  readonly requestId: string;
}): string {
  return requestId === "" ? `${runId}/${path}` : requestId;
}

test("never more hold a lock than may, tokens ascend, no one is overtaken, and no one waits for what is free", () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 10, maxLength: 90 }), (actions) => {
      const program = new Program();
      for (const each of actions) {
        program.run(each);
        program.check();
      }
    }),
    { numRuns: 150 },
  );
});

test("a node that crashed and has nothing in its cache decides as the others do", () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 10, maxLength: 60 }), (actions) => {
      let store = new MemoryStateStore({ isDurable: true });
      const [program, other] = [new Program(), new Program(new StateLog(new WorkflowState(store, 0)))];
      for (const [at, each] of actions.filter(({ kind }) => kind !== "restore").entries()) {
        program.run(each);
        other.run(each);
        other.log.state.commit();
        if (at % 10 !== 9) continue;
        void store.persist();
        store = store.reopen();
        other.crashed(new WorkflowState(store, 0));
      }
      const bytes = ({ log }: Program): string => Buffer.concat([...log.state.capture(1_000)]).toString("hex");
      expect(bytes(other)).toBe(bytes(program));
    }),
    { numRuns: 100 },
  );
});
