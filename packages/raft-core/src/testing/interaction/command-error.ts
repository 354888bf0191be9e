/** An error that is part of a script's expected output. Its text is printed after the output of the command. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
