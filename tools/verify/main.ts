// `npm run verify`: everything about the repository that is checked by reading it. It changes nothing.
// Formatting, lint, types, protobuf and generated code; then the tests in tools/: layers, purity, error codes, READMEs.

import { add, format } from "../test/counts.ts";
import { runVitest } from "../test/vitest.ts";
import { runChecks } from "./run-checks.ts";

const counts = add(await runChecks(), await runVitest({ args: ["tools/"] }));
console.log(format(counts));
process.exitCode = counts.failed === 0 ? 0 : 1;
