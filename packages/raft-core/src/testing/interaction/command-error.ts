/** An error that is part of a script's expected output: its text is printed after what the command printed before it. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
