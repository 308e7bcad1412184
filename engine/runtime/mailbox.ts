import { present } from "../base/assert.ts";

/** Actions that wait for their turn on a task's thread, in order. */
export class Mailbox {
  #mails: (() => void)[] = [];
  #taken = 0;

  get size(): number {
    return this.#mails.length - this.#taken;
  }

  add(mail: () => void): void {
    this.#mails.push(mail);
  }

  /** Runs the oldest. */
  runNext(): void {
    const mail = present(this.#mails[this.#taken], "a mail waits");
    this.#taken += 1;
    if (this.#taken === this.#mails.length) {
      this.#mails = [];
      this.#taken = 0;
    }
    mail();
  }
}
