/** A recorded error as an Error again: for `cause`, so that loggers and debuggers show what a run or step failed of. */
import type { RecordedError } from "../../model/failure.ts";

/** The error, with its causes and errors. Its class is Error, whatever it was. */
export function rebuiltError({ name, message, code, stack, cause, errors }: RecordedError): Error {
  const options = cause === undefined ? undefined : { cause: rebuiltError(cause) };
  const rebuilt =
    errors === undefined ? new Error(message, options) : new AggregateError(errors.map(rebuiltError), message, options);
  Object.defineProperty(rebuilt, "name", { value: name, configurable: true, writable: true });
  if (code !== undefined) Object.defineProperty(rebuilt, "code", { value: code, enumerable: true, configurable: true });
  rebuilt.stack = stack ?? `${name}: ${message}`;
  return rebuilt;
}
