import { describe, expect, test } from "vitest";
import { parseOptions } from "./options.ts";

describe("the command line", () => {
  test("each kind of seeds has numbers of its own", () => {
    expect(parseOptions(["--forged"])).toMatchObject({ kind: "forged", seeds: 10_000 });
    expect(parseOptions(["--core"])).toMatchObject({ kind: "cores", seeds: 20_000 });
    expect(parseOptions(["--core", "--profile", "long"])).toMatchObject({ kind: "cores", seeds: 500_000 });
    expect(parseOptions(["--core", "--seeds", "7"])).toMatchObject({ kind: "cores", seeds: 7 });
    expect(parseOptions(["--profile", "ci"])).toMatchObject({ kind: "clusters", seeds: 500, start: 1 });
    expect(parseOptions(["--workflows"])).toMatchObject({ kind: "programs", seeds: 200, start: 0, programs: false });
    expect(parseOptions(["--workflows", "--programs", "--start", "7"])).toMatchObject({ start: 7, programs: true });
  });

  test.each([
    ["--core", "--steps"],
    ["--core", "--only"],
    ["--forged", "--steps"],
    ["--forged", "--only"],
    ["--forged", "--ignore"],
    ["--forged", "--core"],
    ["--workflows", "--core"],
    ["--workflows", "--steps"],
  ])("is refused with %s %s, which means nothing", (kind, flag) => {
    const value = flag === "--core" ? [] : ["3"];
    expect(() => parseOptions([kind, flag, ...value])).toThrow(/leave (them|all but one|--ignore) out/);
  });
});
