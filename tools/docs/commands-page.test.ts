import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { COMMANDS_PAGE, commandsPage } from "./commands-page.ts";

test("docs/commands.md is what the registry says; npm run fix writes it", async () => {
  expect(await readFile(COMMANDS_PAGE, "utf8")).toBe(commandsPage());
});
