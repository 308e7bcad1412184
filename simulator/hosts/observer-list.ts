import { InvariantError } from "../../engine/base/assert.ts";

/** A method of an observer: none has more parameters. */
type Observing = (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown, g: unknown) => void;

/**
 * The observers of one service. They are called in the middle of what the engine does, so what one of them
 * throws is made an InvariantError: a bug of its own, and never an error that the engine may take for the user's.
 */
export class ObserverList<O extends object> implements Iterable<O> {
  /** For the service: each calls its observer, and has just the methods that this has. */
  readonly guarded: O[] = [];
  readonly #observers: O[] = [];

  push(observer: O): void {
    this.#observers.push(observer);
    this.guarded.push(guardOf(observer));
  }

  /** The observers themselves. */
  [Symbol.iterator](): Iterator<O> {
    return this.#observers[Symbol.iterator]();
  }
}

function guardOf<O extends object>(observer: O): O {
  const methods = new Map<string, Observing>();
  for (let owner: object | null = observer; owner !== null && owner !== Object.prototype; owner = Object.getPrototypeOf(owner) as object | null) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      if (!name.startsWith("on") || methods.has(name)) continue;
      const method = (observer as Record<string, unknown>)[name];
      if (typeof method === "function") methods.set(name, guardedCall(observer, method as Observing));
    }
  }
  return Object.fromEntries(methods) as O;
}

function guardedCall(observer: object, method: Observing): Observing {
  return (a, b, c, d, e, f, g) => {
    try {
      method.call(observer, a, b, c, d, e, f, g);
    } catch (error) {
      throw new InvariantError(`an observer failed: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
    }
  };
}
