import type { TerminalStreams } from "../cli/host.ts";
import { line } from "../views/line.ts";
import { cutLine } from "./line-cut.ts";

/** Alternate screen; no cursor; no line breaks of the terminal's own. */
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J\u001b[H";
const LEAVE = "\u001b[0m\u001b[?2026l\u001b[?7h\u001b[?25h\u001b[?1049l";

/** Takes the terminal's screen, and gives it back as it was, whatever happens in between. */
export class Terminal {
  readonly #streams: TerminalStreams;
  /** Screens that want it: one may be opened from another. */
  #holders = 0;
  readonly #giveBack: () => void = () => this.#release();

  constructor(streams: TerminalStreams) {
    this.#streams = streams;
  }

  get columns(): number {
    return this.#streams.stdout.columns || 80;
  }

  get rows(): number {
    return this.#streams.stdout.rows || 24;
  }

  get stdin(): NodeJS.ReadStream {
    return this.#streams.stdin;
  }

  enter(): void {
    this.#holders += 1;
    if (this.#holders > 1) return;
    process.on("exit", this.#giveBack);
    this.#streams.stdout.write(ENTER);
  }

  write(text: string): void {
    if (this.#holders > 0 && text !== "") this.#streams.stdout.write(text);
  }

  /**
   * Says that something takes a while, on a line of its own, before the screen is taken too: a signal may end the
   * process at once then, and nothing is left to give back. Returns how to take the line away: it is cut to the width,
   * because of one that is broken over two rows only the second would go.
   */
  notice(text: string): () => void {
    const { stdout } = this.#streams;
    const shown = cutLine(line(text), this.columns - 1, 0, "...").map((span) => span.text).join("");
    stdout.write(this.#holders > 0 ? `\u001b[2J\u001b[H${shown}` : shown);
    return () => void stdout.write("\r\u001b[2K");
  }

  onResize(listener: () => void): () => void {
    this.#streams.stdout.on("resize", listener);
    return () => void this.#streams.stdout.off("resize", listener);
  }

  /** As often as `enter`; at once, because the process may be about to end. */
  leave(): void {
    if (this.#holders > 1) this.#holders -= 1;
    else this.#release();
  }

  #release(): void {
    if (this.#holders === 0) return;
    this.#holders = 0;
    process.off("exit", this.#giveBack);
    try {
      if (this.#streams.stdin.isRaw) this.#streams.stdin.setRawMode(false);
      this.#streams.stdout.write(LEAVE);
    } catch {
      // The terminal is gone: nothing is left to give back.
    }
  }
}
