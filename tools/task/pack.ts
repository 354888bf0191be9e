// The tests of the packed packages as a task of nx (tools/project.json), which builds the packages first.

import { testPack } from "../pack/pack.ts";
import { endTask } from "./record.ts";

await endTask({ folder: "tools", target: "pack" }, await testPack());
