import { BroadcastChannel, receiveMessageOnPort } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import type { Census } from "../../simulator/explore/census.ts";
import type { CensusShare } from "../../simulator/explore/census-share.ts";

interface Offer {
  readonly key: string;
  readonly census: Census;
}

/**
 * Censuses between the worker threads of one sweep: whoever needs one first takes it, and tells the others. What
 * they sent is fetched when a census is missing, as a worker is too busy to hear of it in between. Two that need
 * the same one at the same time both take it.
 */
export class CensusExchange implements CensusShare {
  readonly #channel: BroadcastChannel;
  readonly #received: Map<string, Census> = new Map();

  /** `name`: of the sweep, and of no other in this process. */
  constructor(name: string) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.unref();
  }

  find(key: string): Census | null {
    // Node takes channels of this kind too; its type declarations do not say so.
    const port = this.#channel as unknown as MessagePort;
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      const offer = next.message as Offer;
      this.#received.set(offer.key, offer.census);
    }
    const found = this.#received.get(key) ?? null;
    // The Simulator keeps it.
    this.#received.delete(key);
    return found;
  }

  offer(key: string, census: Census): void {
    const offer: Offer = { key, census };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
    this.#channel.postMessage(offer);
  }

  close(): void {
    this.#channel.close();
  }
}
