import type { PlantedBug } from "../planted-bug.ts";
import { RESULT } from "../planted-bug.ts";

/** Watermarks, windows and timers. */
export const TIMER_BUGS: readonly PlantedBug[] = [
  {
    id: "watermark-over-no-partitions",
    flink: "FLINK-7721",
    symptom: "the minimum over no active partition is taken for the end of time",
    noticedBy: [...RESULT, "watermarks and timers"],
    scenarios: ["sparse"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/stream/watermark-generators.ts",
        find: "if (found && minimum > this.lastMs)",
        replace: "if (minimum > this.lastMs)",
      },
    ],
  },
  {
    id: "timers-not-restored",
    flink: "FLINK-19300",
    symptom: "a restore brings the state back, but none of the timers",
    noticedBy: [...RESULT, "restore fidelity", "watermarks and timers"],
    scenarios: ["timers"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/state/backends/heap/section-loader.ts",
        find: "    this.timers.register(domain, namespace, timestampMs);\n",
        replace: "",
      },
    ],
  },
  {
    id: "watermark-not-restored",
    flink: "FLINK-36663",
    symptom: "after a restore a window operator has no watermark, and windows that fired fire again",
    noticedBy: [...RESULT, "restore fidelity", "watermarks and timers"],
    scenarios: ["flights-late"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/state/backends/heap/heap-keyed-backend.ts",
        find: "    if (found) this.watermarkMs = watermarkMs;\n",
        replace: "",
      },
    ],
  },
  {
    id: "key-set-after-timer",
    flink: "FLINK-26063",
    symptom: "a timer fires under the key of whatever was handled before it",
    noticedBy: [...RESULT, "watermarks and timers"],
    scenarios: ["timers"],
    fixed: { backend: "heap" },
    edits: [
      {
        file: "engine/operators/keyed-operator.ts",
        find: `      this.backend.setCurrentKey(timer.key);
      this.#tracer.point(TRACE.timerFired, this.#subject, timer.timestampMs, domain);
      this.onTimer(timer, domain);
`,
        replace: `      this.#tracer.point(TRACE.timerFired, this.#subject, timer.timestampMs, domain);
      this.onTimer(timer, domain);
      this.backend.setCurrentKey(timer.key);
`,
      },
    ],
  },
];
