import type { TapePoint } from "../../simulator/timetravel/run-tape.ts";
import { seconds } from "../text/format.ts";
import { visible } from "../text/visible.ts";

/** A trace point in one line. */
export function pointText({ step, atUs, process, event, subject, x, y }: TapePoint): string {
  return `${String(step).padStart(6)}  t=${seconds(atUs)}  ${visible(process ?? "-").padEnd(8)}  ${event.padEnd(22)}  ${visible(subject)}  ${x} ${y}`;
}
