import { widthOf } from "./line-cut.ts";

const BEGIN = "\u001b[?2026h";
const END = "\u001b[?2026l";
const CLEAR = "\u001b[2J";
const SEQUENCE = /\u001b\[[0-9;]*m/g;

/**
 * Knows what a terminal shows, and what to send it so that it shows something else: the lines that changed, each at its
 * place, in one piece that terminals which can do so show at once.
 */
export class ScreenPainter {
  #shown: readonly string[] = [];
  #isCleared = false;

  /** Nothing is known any more of what is shown. */
  forget(): void {
    this.#shown = [];
    this.#isCleared = false;
  }

  /** What to send; "" where nothing changed. More lines than `rows` are left out: nothing may scroll. */
  update(lines: readonly string[], columns: number, rows: number): string {
    const wanted = lines.slice(0, rows);
    const pieces = this.#isCleared ? [] : [CLEAR];
    const length = Math.max(wanted.length, this.#shown.length);
    for (let i = 0; i < length; i += 1) {
      const line = wanted[i] ?? "";
      if (line === (this.#shown[i] ?? "")) continue;
      // Erasing behind a line that fills the row would erase its last character.
      const rest = widthOf(line.replace(SEQUENCE, "")) < columns ? "\u001b[K" : "";
      pieces.push(`\u001b[${i + 1};1H${line}\u001b[0m${rest}`);
    }
    this.#shown = wanted;
    this.#isCleared = true;
    return pieces.length === 0 ? "" : `${BEGIN}${pieces.join("")}${END}`;
  }
}
