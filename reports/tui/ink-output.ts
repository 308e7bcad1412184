import { EventEmitter } from "node:events";
import { ScreenPainter } from "./screen-painter.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Where Ink writes to: takes whole frames from it, as it gives them in its debug mode, and sends the terminal what is
 * different. Ink's own way of writing scrolls, and does not know of the alternate screen.
 */
export class InkOutput extends EventEmitter {
  readonly #terminal: Terminal;
  readonly #painter = new ScreenPainter();

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
    const { columns, rows } = this.#terminal;
    this.#terminal.write(this.#painter.update(frame.split("\n"), columns, rows - 1));
    return true;
  };

  /** The terminal has another size: all of it is drawn again. */
  resized(): void {
    this.#painter.forget();
  }
}
