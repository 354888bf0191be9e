/**
 * Throws, when it is imported, on a Node that is too old. Each entry of a package imports this module first: modules are evaluated in the order
 * of their imports, so no other module of the package has run by then.
 */
import { nodeObjection } from "./node-version.ts";

const { process } = globalThis as { readonly process?: { readonly versions?: { readonly node?: string } } };
const objection = nodeObjection(process?.versions?.node);
if (objection !== undefined) throw new Error(objection);
