/**
 * Throws, when it is imported, on a Node that is too old. The first import of each package's entry: modules are evaluated in the order
 * of their imports, so nothing of the package has run by then.
 */
import { nodeObjection } from "./node-version.ts";

const { process } = globalThis as { readonly process?: { readonly versions?: { readonly node?: string } } };
const objection = nodeObjection(process?.versions?.node);
if (objection !== undefined) throw new Error(objection);
