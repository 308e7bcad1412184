/** Loader hooks: serve a few modules from memory, and leave all others alone. */

/** @type {ReadonlyMap<string, string>} */
let sources = new Map();

/** @param {{ readonly sources: readonly (readonly [string, string])[] }} data */
export function initialize(data) {
  sources = new Map(data.sources);
}

/** @type {import("node:module").LoadHook} */
export function load(url, context, nextLoad) {
  const source = sources.get(url);
  return source === undefined ? nextLoad(url, context) : { format: "module", source, shortCircuit: true };
}
