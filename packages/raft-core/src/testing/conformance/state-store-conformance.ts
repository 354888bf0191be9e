/**
 * The conformance suite of state stores: every method of {@link StateStore}, and the invariants K1-K4 of ports/state-store.ts.
 *
 * ```ts
 * import { stateStoreConformance } from "@raftoral/raft-core/testing";
 * import { describe, test } from "vitest";
 *
 * stateStoreConformance("MyStateStore", () => MySubject.create(), { describe, test });
 * ```
 *
 * The suite does not depend on a test runner: it gets `describe` and `test` as arguments, and has its own assertions.
 */

import { seededRng } from "../../ports/rng.ts";
import { MAX_STATE_KEY_BYTES } from "../../ports/state-reader.ts";
import type { StateStore, StateView } from "../../ports/state-store.ts";
import { assertEqual, assertTrue } from "../assertions.ts";
import { casesOf, type DeclareCase, type TestFunctions } from "./declare-cases.ts";
import {
  assertHolds,
  bytesOf,
  type Model,
  putAll,
  type StateStoreSubject,
  scanned,
  scannedBack,
  textOf,
} from "./state-store-subject.ts";

type Declare = DeclareCase<StateStoreSubject>;

/** Declares the suite. `create` returns a new, empty subject for each case; its stores must be durable. */
export function stateStoreConformance(
  name: string,
  create: () => Promise<StateStoreSubject> | StateStoreSubject,
  runner: TestFunctions,
): void {
  const declare = casesOf(runner, create);
  runner.describe(`${name}: records`, () => recordCases(declare));
  runner.describe(`${name}: durability`, () => durabilityCases(declare));
  runner.describe(`${name}: views`, () => viewCases(declare));
  runner.describe(`${name}: replacements`, () => replacementCases(declare));
  runner.describe(`${name}: anything, in any order`, () => randomCases(declare));
}

function recordCases(declare: Declare): void {
  declare("are empty at first", async (subject) => {
    const store = await subject.open(1);
    assertEqual([store.appliedIndex, store.durableIndex, store.isDurable], [0, 0, true], "a new store");
    assertEqual(scanned(store), [], "its records");
    assertEqual(store.get("a"), undefined, "a record of it");
  });

  declare("are read, walked in the order of their keys' bytes, replaced and deleted", async (subject) => {
    const store = await subject.open(1);
    putAll(store, 1, { b: "1", a: "2", "a\u0000": "3", "a\u00ff": "4", "\u00fe": "5" });
    assertEqual(scanned(store), ["a=2", "a\u0000=3", "a\u00ff=4", "b=1", "\u00fe=5"], "all");
    assertEqual(scanned(store, "a", "b"), ["a=2", "a\u0000=3", "a\u00ff=4"], "those that begin with a");
    assertEqual(scanned(store, "a\u0001", "a\u00ff"), [], "the end is exclusive");
    await store.persist();
    putAll(store, 2, { a: "new", b: null, c: "6", never: null });
    assertEqual(scanned(store, "a", "d"), ["a=new", "a\u0000=3", "a\u00ff=4", "c=6"], "over what is on disk");
    await store.persist();
    assertEqual(scanned(store, "a", "d"), ["a=new", "a\u0000=3", "a\u00ff=4", "c=6"], "on disk");
    assertEqual([textOf(store.get("a")), store.get("b")], ["new", undefined], "by key");
  });

  declare("are walked back from the end of a range", async (subject) => {
    const store = await subject.open(1);
    putAll(store, 1, { a: "1", b: "2", c: "3", d: "4" });
    assertEqual(scannedBack(store, "a", "d"), ["c=3", "b=2", "a=1"], "the start is inclusive, the end exclusive");
    await store.persist();
    putAll(store, 2, { a: "new", b: null, bb: "5" });
    assertEqual(scannedBack(store, "a", "d"), ["c=3", "bb=5", "a=new"], "over what is on disk");
    await store.persist();
    assertEqual(scannedBack(store, "a", "d"), ["c=3", "bb=5", "a=new"], "on disk");
    assertEqual(scannedBack(store, "bc", "c"), [], "an empty range");
  });

  declare("may be empty, and large", async (subject) => {
    const store = await subject.open(1);
    const large = new Uint8Array(3_000_000).fill(7);
    const key = "\u00ff".repeat(MAX_STATE_KEY_BYTES);
    store.put("empty", new Uint8Array(0));
    store.put(key, large);
    store.commit(1);
    await store.persist();
    assertEqual(store.get("empty"), new Uint8Array(0), "the empty one");
    assertTrue(store.get(key)?.every((byte) => byte === 7) === true, "the large one has changed");
    assertEqual(store.get(key)?.length, large.length, "its length");
  });

  declare("of one group are not those of another", async (subject) => {
    const [one, two] = [await subject.open(1), await subject.open(2)];
    putAll(one, 1, { a: "1" });
    putAll(two, 9, { b: "2" });
    await Promise.all([one.persist(), two.persist()]);
    assertEqual([scanned(one), one.appliedIndex], [["a=1"], 1], "group 1");
    assertEqual([scanned(two), two.appliedIndex], [["b=2"], 9], "group 2");
    await subject.restart();
    assertEqual(scanned(await subject.open(2)), ["b=2"], "group 2, later");
  });

  declare("can be put and deleted while they are walked", async (subject) => {
    const store = await subject.open(1);
    for (let i = 0; i < 1_000; i++) store.put(numbered(i), bytesOf("x"));
    store.commit(1);
    await store.persist();
    let walked = 0;
    for (const [key] of store.scan(numbered(0), numbered(900))) {
      assertEqual(key, numbered(walked), "the next key");
      store.delete(key);
      store.put(`other-${key}`, bytesOf("y"));
      walked += 1;
    }
    store.commit(2);
    assertEqual(walked, 900, "all were walked");
    let back = 1_000;
    for (const [key] of store.scanBack(numbered(900), numbered(1_000))) {
      back -= 1;
      assertEqual(key, numbered(back), "the next key on the way back");
      store.put(`more-${key}`, bytesOf("z"));
    }
    assertEqual(back, 900, "all were walked back");
    assertEqual(scanned(store, "key", "kez").length, 100, "those that are left");
    assertEqual(scanned(store, "other", "othes").length, 900, "those that were put");
  });
}

function durabilityCases(declare: Declare): void {
  declare("persisting survives an end, with the index up to which it goes", async (subject) => {
    const store = await subject.open(1);
    putAll(store, 5, { a: "1", b: "2" });
    assertTrue((await store.persist()) >= 5, "persist says how far it goes");
    assertTrue(store.durableIndex >= 5, "the store, too");
    await subject.restart();
    const again = await subject.open(1);
    assertEqual([again.appliedIndex, again.durableIndex], [5, 5], "the index");
    assertEqual(scanned(again), ["a=1", "b=2"], "the records");
  });

  declare("a commit without records counts", async (subject) => {
    const store = await subject.open(1);
    store.commit(7);
    await store.persist();
    await subject.restart();
    assertEqual((await subject.open(1)).appliedIndex, 7, "the index");
  });

  declare("what comes while it is persisted is not lost, and not mixed in", async (subject) => {
    const store = await subject.open(1);
    putAll(store, 1, { a: "1", b: "1" });
    const persisted = store.persist();
    putAll(store, 2, { a: "2", b: null, c: "2" });
    await persisted;
    assertEqual(scanned(store), ["a=2", "c=2"], "what is read");
    await store.persist();
    await subject.restart();
    assertEqual(scanned(await subject.open(1)), ["a=2", "c=2"], "what survives");
  });

  declare("a writer that waits for drained can put any amount (K4)", async (subject) => {
    const store = await subject.open(1);
    const value = new Uint8Array(10_000).fill(1);
    for (let index = 1; index <= 600; index++) {
      store.put(numbered(index), value);
      store.commit(index);
      await store.drained;
    }
    assertEqual(store.appliedIndex, 600, "the index");
    assertEqual(Array.from(store.scan(numbered(0), numbered(9_999))).length, 600, "the records");
  });

  declare("an end without persisting leaves some commit (K1)", async (subject) => {
    const store = await subject.open(1);
    const models: Model[] = [new Map()];
    for (let index = 1; index <= 30; index++) {
      store.put("index", bytesOf(String(index)));
      store.put(`at-${index}`, bytesOf("x"));
      store.commit(index);
      models.push(new Map([...(models[index - 1] ?? []), ["index", String(index)], [`at-${index}`, "x"]]));
      if (index === 10) await store.persist();
    }
    await subject.restart();
    const again = await subject.open(1);
    assertTrue(again.appliedIndex >= 10, "what was persisted is there");
    assertHolds(again, models[again.appliedIndex] ?? new Map(), `commit ${again.appliedIndex}`);
  });
}

function viewCases(declare: Declare): void {
  declare("show what was, whatever is put, persisted and replaced since (K2)", async (subject) => {
    const store = await subject.open(1);
    putAll(store, 1, { a: "1", b: "1", c: "1" });
    await store.persist();
    putAll(store, 2, { b: "2", c: null, d: "2" });
    const seen = ["a=1", "b=2", "d=2"];
    const view = store.view();
    const walk = view.scan("a", "z")[Symbol.iterator]();
    assertEqual(walk.next().value?.[0], "a", "the first of a walk");
    putAll(store, 3, { a: "3", b: null, d: null, e: "3" });
    assertEqual([view.appliedIndex, scanned(view)], [2, seen], "after puts");
    await store.persist();
    putAll(store, 4, { a: null, f: "4" });
    await store.persist();
    assertEqual([textOf(view.get("a")), view.get("f"), scanned(view)], ["1", undefined, seen], "after persisting");
    const replacement = store.replace();
    replacement.put("z", bytesOf("9"));
    await replacement.finish(9);
    assertEqual(scanned(view), seen, "after a replacement");
    const rest = [walk.next().value, walk.next().value].map((record) => record?.[0]);
    assertEqual(rest, ["b", "d"], "a walk that was under way");
    view.close();
    view.close();
    assertEqual(scanned(store), ["z=9"], "the store itself");
  });

  declare("may be several, closed in any order", async (subject) => {
    const store = await subject.open(1);
    const views: StateView[] = [];
    for (let index = 1; index <= 4; index++) {
      putAll(store, index, { a: String(index), [`k${index}`]: "x", [`k${index - 1}`]: null });
      views.push(store.view());
      if (index % 2 === 0) await store.persist();
    }
    for (const at of [1, 3, 0, 2]) {
      assertEqual(scanned(views[at] as StateView), [`a=${at + 1}`, `k${at + 1}=x`], `view ${at + 1}`);
      views[at]?.close();
    }
    putAll(store, 5, { b: "5" });
    assertEqual(scanned(store), ["a=4", "b=5", "k4=x"], "the store, after all are closed");
  });
}

function replacementCases(declare: Declare): void {
  declare("take the place of everything, durably", async (subject) => {
    const store = await subject.open(1);
    putAll(store, 3, { a: "1", b: "1" });
    await store.persist();
    putAll(store, 4, { c: "unpersisted" });
    const replacement = store.replace();
    for (let i = 0; i < 500; i++) {
      replacement.put(numbered(i), bytesOf(String(i)));
      await replacement.drained;
    }
    replacement.put(numbered(7), bytesOf("again"));
    assertEqual([textOf(replacement.get(numbered(7))), replacement.get("a")], ["again", undefined], "what it has");
    assertEqual(scanned(store), ["a=1", "b=1", "c=unpersisted"], "the store until it is finished");
    await replacement.finish(50);
    const expected = Array.from({ length: 500 }, (_, i) => `${numbered(i)}=${i === 7 ? "again" : i}`);
    assertEqual([store.appliedIndex, store.durableIndex, scanned(store)], [50, 50, expected], "the store then");
    putAll(store, 51, { later: "1", [numbered(0)]: null });
    await store.persist();
    await subject.restart();
    const again = await subject.open(1);
    assertEqual([again.appliedIndex, scanned(again)], [51, [...expected.slice(1), "later=1"]], "after an end");
  });

  declare("that were not finished, or dropped, leave nothing (K3)", async (subject) => {
    const store = await subject.open(1);
    putAll(store, 3, { a: "1" });
    await store.persist();
    const dropped = store.replace();
    dropped.put("b", bytesOf("2"));
    await dropped.abort();
    await dropped.abort();
    const cut = store.replace();
    for (let i = 0; i < 300; i++) {
      cut.put(numbered(i), bytesOf("x".repeat(1_000)));
      await cut.drained;
    }
    await subject.restart();
    const again = await subject.open(1);
    assertEqual([again.appliedIndex, scanned(again)], [3, ["a=1"]], "after an end");
    const whole = again.replace();
    whole.put("c", bytesOf("3"));
    await whole.finish(10);
    assertEqual(scanned(again), ["c=3"], "a whole one");
  });

  declare("may be empty", async (subject) => {
    const store = await subject.open(1);
    putAll(store, 3, { a: "1" });
    await store.replace().finish(8);
    await subject.restart();
    const again = await subject.open(1);
    assertEqual([again.appliedIndex, scanned(again)], [8, []], "the store");
  });
}

/** Runs of a hundred steps, chosen by a seed, each compared with a plain table. */
function randomCases(declare: Declare): void {
  for (let seed = 1; seed <= 8; seed++) {
    declare(`is as a plain table is (seed ${seed})`, (subject) => randomSteps(subject, seed));
  }
}

async function randomSteps(subject: StateStoreSubject, seed: number): Promise<void> {
  const rng = seededRng(seed);
  const history = new Map<number, Model>([[0, new Map()]]);
  let model = new Map<string, string>();
  let store: StateStore = await subject.open(1);
  let index = 0;
  let durable = 0;
  const views: { readonly view: StateView; readonly model: Model }[] = [];
  const change = (): void => {
    index += 1;
    for (let i = rng.below(12); i > 0; i--) {
      const key = `${"abc"[rng.below(3)]}${rng.below(40)}`;
      if (rng.below(3) === 0) {
        store.delete(key);
        model.delete(key);
      } else {
        const value = `${index}.${i}${"-".repeat(rng.below(3) * 100)}`;
        if (store.get(key) === undefined) store.insert(key, bytesOf(value));
        else store.put(key, bytesOf(value));
        model.set(key, value);
      }
    }
    store.commit(index);
    history.set(index, new Map(model));
  };
  for (let step = 0; step < 100; step++) {
    const kind = rng.below(20);
    if (kind < 12) change();
    else if (kind < 15) {
      const persisted = store.persist();
      if (rng.below(2) === 0) change();
      durable = await persisted;
    } else if (kind < 16) views.push({ view: store.view(), model: new Map(model) });
    else if (kind < 18) {
      const seen = views.shift();
      if (seen !== undefined) assertHolds(seen.view, seen.model, `step ${step}: a view`);
      seen?.view.close();
    } else if (kind < 19) {
      for (const { view } of views.splice(0)) view.close();
      await subject.restart();
      store = await subject.open(1);
      index = store.appliedIndex;
      assertTrue(index >= durable, `step ${step}: ${durable} was persisted, ${index} is there`);
      model = new Map(history.get(index));
    } else {
      const replacement = store.replace();
      model = new Map();
      for (let i = 0; i < 20; i++) {
        const key = `${"abc"[rng.below(3)]}${rng.below(40)}`;
        replacement.put(key, bytesOf(`r${step}`));
        model.set(key, `r${step}`);
      }
      index += 10;
      await replacement.finish(index);
      durable = index;
      history.set(index, new Map(model));
    }
    assertEqual(store.appliedIndex, index, `step ${step}: the index`);
    assertHolds(store, model, `step ${step}`);
  }
  for (const { view } of views) view.close();
}

function numbered(i: number): string {
  return `key-${String(i).padStart(6, "0")}`;
}
