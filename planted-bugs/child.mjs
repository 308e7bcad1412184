/**
 * A process of its own for one engine, so that a mutated one and the clean one never meet, and one that runs
 * for ever can be ended. It is told what to serve in place of which module, then hunts.
 */
import { register } from "node:module";

process.once("message", async (/** @type {import("./hunt.ts").HuntOrder} */ order) => {
  register("./hooks.mjs", import.meta.url, { data: { sources: order.sources } });
  const { hunt } = await import("./hunter.ts");
  process.send?.(await hunt(order), () => process.disconnect());
});
