import { expect, test } from "vitest";
import type { CliIo } from "./io.ts";
import { printableIo } from "./printable-io.ts";

function printed(isTty: boolean, print: (io: CliIo) => void): string {
  let text = "";
  const take = (more: string) => {
    text += more;
  };
  const io: Partial<CliIo> = { env: {}, isTty, out: take, err: take };
  print(printableIo(io as CliIo));
  return text;
}

test("colours are the program's own, and for a terminal", () => {
  const warn = (io: CliIo) => io.out("a \x1b[31mword\n", "warning");
  expect(printed(true, warn)).toBe("\x1b[33ma \\u001b[31mword\x1b[0m\n");
  expect(printed(false, warn)).toBe("a \\u001b[31mword\n");
});

test("both ways out are guarded", () => {
  for (const isTty of [true, false]) {
    expect(printed(isTty, (io) => io.out("\x1b[2J\n"))).toBe("\\u001b[2J\n");
    expect(printed(isTty, (io) => io.err("\u009b2J\r\n"))).toBe("\\u009b2J\\r\n");
  }
});
