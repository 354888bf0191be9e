// Where conformance data is looked for. It is not part of the repository.

import { join, relative } from "node:path";
import { root } from "../process.ts";

export const DEFAULT_FOLDER = join(root, "..", "shared", "conformance");

/** What is said when it is not there. */
export const NO_DATA = `conformance: skipped, for there is no folder ${relative(process.cwd(), DEFAULT_FOLDER)}`;
