// `npm run verify`: everything about the repository that is checked by reading it. It changes nothing.
// Formatting, lint, types, protobuf and generated code; then the tests in tools/: layers, purity, docstrings, error texts, style, documents.
// What has not changed since it passed is answered from nx's cache, and said to be.

import { add, format, NO_TESTS } from "../task/counts.ts";
import { runTasks, toolsTask } from "../test/run-tasks.ts";

let counts = NO_TESTS;
for (const target of ["check", "test", "test-cache"]) counts = add(counts, await runTasks(toolsTask(target)));
console.log(format(counts));
process.exitCode = counts.failed === 0 ? 0 : 1;
