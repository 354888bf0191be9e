// The values that the package exports. Adding or removing one is a decision: change the list with it.
import { expect, test } from "vitest";
import * as agents from "./index.ts";

test("the package offers what is listed here", () => {
  expect(Object.keys(agents).toSorted()).toEqual([
    "AgentError",
    "ToolCallRefusedError",
    "ToolFailedError",
    "agentStream",
    "completed",
    "durable",
    "stepOf",
    "uiMessageStream",
  ]);
});
