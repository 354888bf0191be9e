import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StepPaths } from "./step-path.ts";

describe("paths", () => {
  test("count occurrences of a name within a scope (K1)", () => {
    const paths = new StepPaths();
    expect([paths.next("charge"), paths.next("mail"), paths.next("charge")]).toEqual([
      "charge#0",
      "mail#0",
      "charge#1",
    ]);
    const ship = paths.scope("ship");
    expect([ship.next("label"), ship.next("label")]).toEqual(["ship/label#0", "ship/label#1"]);
    expect(paths.scope("ship").next("label")).toBe("ship#1/label#0");
    expect(ship.scope("deep").next("x")).toBe("ship/deep/x#0");
    expect(paths.next("ship")).toBe("ship#0");
  });

  test("of different places differ, whatever the names (K2)", () => {
    const name = fc.stringMatching(/^[a%/#0-9]{1,4}$/);
    fc.assert(
      fc.property(fc.uniqueArray(fc.array(name, { minLength: 1, maxLength: 3 }), { selector: String }), (places) => {
        const seen = places.map((place) => {
          let paths = new StepPaths();
          for (const scope of place.slice(0, -1)) paths = paths.scope(scope);
          return paths.next(place.at(-1) ?? "");
        });
        expect(new Set(seen).size).toBe(new Set(places.map((place) => JSON.stringify(place))).size);
      }),
    );
  });

  test.each(["", "x".repeat(201), 7 as unknown as string])("refuse the name %s", (name) => {
    expect(() => new StepPaths().next(name)).toThrow(expect.objectContaining({ code: "NAME_INVALID" }));
  });
});
