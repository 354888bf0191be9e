// How the quickstart writes: headings, paragraphs, aligned columns. Colours only where there is a terminal.

import { stripVTControlCharacters, styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

const INDENT = "   ";

/** Writes the quickstart's output to one stream. */
export class Page {
  readonly #out: NodeJS.WriteStream;
  #section = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  paint(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#out });
  }

  title(text: string, below: string): void {
    this.#write(`\n${this.paint("bold", text)}\n${below}\n`);
  }

  /** A numbered heading, and what the reader should know before the rest. */
  heading(text: string, ...below: readonly string[]): void {
    this.#section += 1;
    this.#write(`\n${this.paint(["bold", "cyan"], `${this.#section}  ${text}`)}\n`);
    for (const line of below) this.#write(`${INDENT}${this.paint("dim", line)}\n`);
    this.#write("\n");
  }

  line(text = ""): void {
    this.#write(text === "" ? "\n" : `${INDENT}${text}\n`);
  }

  /** Rows under their titles, each column as wide as its widest cell. */
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
    const widths = columns.map(({ title }, i) => Math.max(title.length, ...rows.map((row) => width(row[i] ?? ""))));
    const laid = (row: readonly string[]) =>
      columns.map(({ align }, i) => pad(row[i] ?? "", widths[i] ?? 0, align ?? "left")).join("   ");
    this.line(this.paint("dim", laid(columns.map(({ title }) => title)).trimEnd()));
    for (const row of rows) this.line(laid(row).trimEnd());
  }

  #write(text: string): void {
    this.#out.write(text);
  }
}

/** Fills a text up to `columns`, on the side away from where it is aligned. */
export function pad(text: string, columns: number, align: "left" | "right" = "left"): string {
  const fill = " ".repeat(Math.max(0, columns - width(text)));
  return align === "left" ? text + fill : fill + text;
}

/** A text of at most `columns`; what is cut off shows. */
export function shorten(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}
