import { describe, expect, test } from "vitest";
import { parseOptions } from "./options.ts";

describe("the command line", () => {
  test("bare cores have numbers of seeds of their own", () => {
    expect(parseOptions(["--core"])).toMatchObject({ core: true, seeds: 20_000 });
    expect(parseOptions(["--core", "--profile", "long"])).toMatchObject({ core: true, seeds: 500_000 });
    expect(parseOptions(["--core", "--seeds", "7"])).toMatchObject({ core: true, seeds: 7 });
    expect(parseOptions(["--profile", "ci"])).toMatchObject({ core: false, seeds: 2_000 });
  });

  test.each([["--steps"], ["--only"]])("%s means nothing for bare cores", (flag) => {
    expect(() => parseOptions(["--core", flag, "3"])).toThrow("leave them out with --core");
  });
});
