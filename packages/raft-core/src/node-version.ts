/**
 * The oldest Node that the packages run on. The entries check it before anything else can fail.
 *
 * V1. Node 18 can read this module and every module that an entry of a package links. An import that Node does not have, or syntax
 *     that Node cannot read, fails before the first line of any module runs. `npm run test:pack` tries the entries on Node 18 and 20.
 */

/** The oldest Node that the packages run on. Equals `engines` of each package.json. */
export const OLDEST_NODE = "22.12.0";

/**
 * The error text for a Node of this version. Undefined for a Node that is new enough, and for an undefined version, which means that the program does not
 * run on Node.
 */
export function nodeObjection(version: string | undefined): string | undefined {
  if (version === undefined || !isOlder(version, OLDEST_NODE)) return undefined;
  return `Raftoral needs Node ${OLDEST_NODE} or newer, and this is Node ${version}. Install a newer Node (https://nodejs.org).`;
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = than.split(".").map(Number);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}
