/** What somebody else has written, as a sentence of a message: with one mark at its end. */
export function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
