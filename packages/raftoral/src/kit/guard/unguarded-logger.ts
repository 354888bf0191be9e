/** A logger for runtimes whose bodies are guarded. */
import type { Logger } from "@raftoral/raft-core";
import { outsideOfBody } from "./body-guard.ts";

/** The runtime logs in the context of the body that it logs of; what the logger uses is not the body's. */
export function unguardedLogger(logger: Logger): Logger {
  return {
    debug: (fields, message) => outsideOfBody(() => logger.debug(fields, message)),
    info: (fields, message) => outsideOfBody(() => logger.info(fields, message)),
    warn: (fields, message) => outsideOfBody(() => logger.warn(fields, message)),
    error: (fields, message) => outsideOfBody(() => logger.error(fields, message)),
  };
}
