/** An observer that has this method for certain. */
export type Watching<O, K extends keyof O> = O & Required<Pick<O, K>>;

const NOBODY: readonly never[] = [];

/** The observers of one service by what they watch: most watch little, and asking all of them at every frame costs. */
export class Watchers<O extends object> {
  readonly #observers: readonly O[];
  readonly #byEvent: Map<keyof O, readonly O[]> = new Map();
  #known = 0;

  constructor(observers: readonly O[]) {
    this.#observers = observers;
  }

  /** Those that watch `event`, in their order. */
  of<K extends keyof O>(event: K): readonly Watching<O, K>[] {
    if (this.#observers.length === 0) return NOBODY;
    // Observers may join at any time.
    if (this.#known !== this.#observers.length) {
      this.#known = this.#observers.length;
      this.#byEvent.clear();
    }
    let watching = this.#byEvent.get(event);
    if (watching === undefined) {
      watching = this.#observers.filter((observer) => observer[event] !== undefined);
      this.#byEvent.set(event, watching);
    }
    return watching as readonly Watching<O, K>[];
  }
}
