import { EventEmitter } from "node:events";
import { ScreenPainter } from "./screen-painter.ts";
import type { Terminal } from "./terminal.ts";

/** At most so many frames a second. */
const FRAMES_A_SECOND = 30;

/**
 * Where Ink writes to: takes whole frames from it, as it gives them in its debug mode, and sends the terminal what is
 * different, at most so often. Ink's own way of writing scrolls, and does not know of the alternate screen.
 */
export class InkOutput extends EventEmitter {
  readonly #terminal: Terminal;
  readonly #painter = new ScreenPainter();
  #frame: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #paintedMs = Number.NEGATIVE_INFINITY;

  constructor(terminal: Terminal) {
    super();
    this.#terminal = terminal;
  }

  get columns(): number {
    return this.#terminal.columns;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  write = (frame: string): boolean => {
    this.#frame = frame;
    const waitMs = this.#paintedMs + 1000 / FRAMES_A_SECOND - performance.now();
    if (waitMs <= 0) this.#paint();
    else this.#timer ??= setTimeout(() => this.#paint(), waitMs);
    return true;
  };

  /** The terminal has another size: all of it is drawn again. */
  resized(): void {
    this.#painter.forget();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#frame = null;
  }

  #paint(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#frame === null) return;
    this.#paintedMs = performance.now();
    const { columns, rows } = this.#terminal;
    this.#terminal.write(this.#painter.update(this.#frame.split("\n"), columns, rows - 1));
  }
}
