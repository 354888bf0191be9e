import { describe, expect, test } from "vitest";
import { MemoryStateStore } from "../memory/memory-state-store.ts";
import { RecordLayers } from "./record-layers.ts";

const bytes = (value: number): Uint8Array => Uint8Array.of(value);

function base(records: Readonly<Record<string, number>>): MemoryStateStore {
  const store = new MemoryStateStore();
  for (const [key, value] of Object.entries(records)) store.put(key, bytes(value));
  store.commit(1);
  return store;
}

function shown(layers: RecordLayers): string[] {
  return Array.from(layers.scan("a", "z"), ([key, value]) => `${key}${value[0]}`);
}

describe("layers of records", () => {
  test("L1: a frozen layer stays as it is", () => {
    const layers = new RecordLayers(base({ a: 1 }));
    layers.put("b", bytes(2));
    const frozen = layers.freeze();
    layers.put("b", bytes(3));
    layers.delete("a");
    expect(frozen.map((layer) => [...layer.entries()])).toEqual([[["b", bytes(2)]]]);
    expect(shown(layers)).toEqual(["b3"]);
    expect(layers.freeze()).toHaveLength(2);
  });

  test("L2: reads are the same before and after a layer is dropped", () => {
    const store = base({ a: 1, b: 1 });
    const layers = new RecordLayers(store);
    layers.put("b", bytes(2));
    layers.delete("a");
    const frozen = layers.freeze();
    layers.put("c", bytes(3));
    const before = shown(layers);
    store.put("b", bytes(2));
    store.delete("a");
    expect(shown(layers)).toEqual(before);
    layers.drop(frozen);
    expect(shown(layers)).toEqual(before);
    expect(before).toEqual(["b2", "c3"]);
  });

  test("L3: an inserted record that is deleted leaves no trace", () => {
    const layers = new RecordLayers(base({}));
    layers.insert("a", bytes(1));
    layers.delete("a");
    expect([layers.isEmpty, layers.bytes, layers.freeze()]).toEqual([true, 0, []]);
  });

  test("L3: but it hides what is below when it was deleted there before", () => {
    const layers = new RecordLayers(base({ a: 1 }));
    layers.delete("a");
    layers.insert("a", bytes(2));
    layers.delete("a");
    expect(shown(layers)).toEqual([]);
    layers.insert("a", bytes(3));
    layers.freeze();
    layers.delete("a");
    layers.insert("a", bytes(4));
    layers.freeze();
    layers.delete("a");
    expect(shown(layers)).toEqual([]);
  });
});
