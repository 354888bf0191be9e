/**
 * Which Node the packages run on, for entries that say so before anything else can fail.
 *
 * V1. This module, and whatever an entry of a package links, is readable by Node 18: an import that Node does not have, or syntax
 *     that it cannot read, fails before the first line of any module runs. `npm run test:pack` tries it on Node 18 and 20.
 */

/** The oldest Node that the packages run on, as `engines` of each package.json has it. */
export const OLDEST_NODE = "22.12.0";

/** What is wrong with a Node of this version; undefined for one that will do, and where there is no Node (`undefined`). */
export function nodeObjection(version: string | undefined): string | undefined {
  if (version === undefined || !isOlder(version, OLDEST_NODE)) return undefined;
  return `Raftoral needs Node ${OLDEST_NODE} or newer, and this is Node ${version}. Install a newer Node (https://nodejs.org).`;
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = than.split(".").map(Number);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}
