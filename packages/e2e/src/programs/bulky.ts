/** A run whose values are blobs, and whose first owner may die while the step's value is being kept. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { workflow } from "raftoral";

export interface BulkyInput {
  /** The first body's process kills itself once a part of its step's value is in this folder. */
  readonly diesAtPartIn?: string;
  readonly text: string;
}

/** The value of the step. */
export function grown(text: string): string {
  return text.repeat(3).slice(text.length >> 1, 2 * text.length);
}

export const bulky = workflow("bulky", { version: 1 }, async (ctx, { text, diesAtPartIn }: BulkyInput) => {
  const value = await ctx.step("grow", ({ fencingToken }) => {
    const grownText = grown(text);
    if (diesAtPartIn !== undefined && ctx.attempt === 1) dieAtPart(diesAtPartIn, grownText.length);
    return { by: fencingToken, text: grownText };
  });
  return value;
});

/** Looks in each turn of the event loop: keeping a value takes many. */
function dieAtPart(folder: string, minLength: number): void {
  const look = (): void => {
    if (hasPart(folder, minLength)) process.kill(process.pid, "SIGKILL");
    else setImmediate(look);
  };
  look();
}

/** The name of a part ends with the length that it will have. */
function hasPart(folder: string, minLength: number): boolean {
  try {
    return readdirSync(folder).some((name) => {
      const length = Number(name.split("-")[1]);
      return length >= minLength && statSync(join(folder, name)).size > 0;
    });
  } catch {
    // There is no folder before the first part.
    return false;
  }
}
