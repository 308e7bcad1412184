import { present } from "../base/assert.ts";
import { Fifo } from "../base/fifo.ts";

/** Actions that wait for their turn on a task's thread, in order. */
export class Mailbox {
  readonly #mails = new Fifo<() => void>();

  get size(): number {
    return this.#mails.size;
  }

  add(mail: () => void): void {
    this.#mails.push(mail);
  }

  /** Runs the oldest. */
  runNext(): void {
    const mail = present(this.#mails.shift(), "a mail waits");
    mail();
  }
}
