// What the command line of the quickstart asks for.

import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

export interface QuickstartOptions {
  /** Absolute path of the orders' file. */
  readonly ordersFile: string;
  /** Leave the data folder where it is at the end. */
  readonly keep: boolean;
}

export const HELP = `Starts three services that form a cluster, gives them orders to process, kills one half-way,
and shows that nothing is lost and nothing is done twice. Needs nothing but this repository.

Usage: npm run quickstart [-- OPTIONS]

  --orders FILE   process the orders of this JSON file; the sample is tools/quickstart/orders.json
  --keep          keep the data folder
  --help          show this
`;

/** A mistake of the user's. Its message is all there is to say. */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** Reads the arguments; `undefined` when help is asked for. Throws UserError. */
export function parseOptions(args: readonly string[], folder: string): QuickstartOptions | undefined {
  const { values } = parsed(args);
  if (values.help) return undefined;
  if (values.orders === "") throw new UserError("--orders needs the name of a file.");
  return {
    ordersFile: values.orders === undefined ? join(import.meta.dirname, "orders.json") : resolve(folder, values.orders),
    keep: values.keep,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        orders: { type: "string" },
        keep: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UserError(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}
