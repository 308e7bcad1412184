import { colourPaint, plainPaint, type Paint } from "../text/paint.ts";
import type { Host } from "./host.ts";

/** Colours only where a person reads them and has not asked for none. */
export function paintFor(host: Host, wanted: boolean): Paint {
  const { NO_COLOR, TERM } = host.env;
  const refused = !wanted || (NO_COLOR !== undefined && NO_COLOR !== "") || TERM === "dumb";
  return host.stdout.isTerminal && !refused ? colourPaint : plainPaint;
}
