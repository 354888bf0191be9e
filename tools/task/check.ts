// The checks as a task of nx (tools/project.json).

import { runChecks } from "../verify/run-checks.ts";
import { endTask } from "./record.ts";

await endTask({ folder: "tools", target: "check" }, await runChecks());
