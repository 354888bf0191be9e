/** Damage to a data folder that nothing but a checksum can see. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Changes one byte of `text` wherever it stands in a file of the folder, at whatever depth: it may stand in several places, some of
 * them not in use any more. Returns in how many it was.
 */
export function flipByte(folder: string, text: string): number {
  let places = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const file = join(folder, name);
    if (!statSync(file).isFile()) continue;
    const bytes = readFileSync(file);
    const before = places;
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      places += 1;
    }
    if (places > before) writeFileSync(file, bytes);
  }
  return places;
}
