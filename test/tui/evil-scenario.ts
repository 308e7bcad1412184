import { fileURLToPath } from "node:url";

const LIBRARY = fileURLToPath(new URL("../../dist/scenarios/index.js", import.meta.url));

/** Clears the screen, moves away, sets a title, reverses text, hides: what a terminal must never get from a name. */
export const EVIL = "\u001b[2J\u001b[7;7H\u001b]0;owned\u0007\u009b31m\u202eevil\u200b";
/** Wide, combining and joined characters. */
export const WIDE = "漢字かな🙂👩‍👩‍👧e\u0301\u0301ñ한국";

/** A scenario file whose names, keys and values are not to be trusted. */
export function evilScenario(): string {
  return `import { StreamExecutionEnvironment, TransactionalLogSink, TumblingEventTimeWindows, defineScenario } from ${JSON.stringify(LIBRARY)};
const evil = ${JSON.stringify(EVIL)};
const wide = ${JSON.stringify(WIDE)};
export const scenario = defineScenario({
  name: "evil", title: evil, doc: evil,
  job: (options) => {
    const env = StreamExecutionEnvironment.create();
    env.enableCheckpointing(1000).setParallelism(options.parallelism).setMaxParallelism(32);
    env.fromElements([evil, wide, evil + wide], { everyMs: 2000 }).uid("in").name(wide + evil)
      .keyBy((word) => word)
      .window(TumblingEventTimeWindows.of(5000))
      .aggregate({ createAccumulator: () => 0, add: (_word, count) => count + 1, getResult: (count) => count }).name(evil)
      .sinkTo(new TransactionalLogSink({ topic: "counts" }));
    return env.execute(evil);
  },
  workload: () => [],
  outputs: [{ topic: "counts", partitions: 1, keyOf: null }],
  cluster: { jobManagers: 1, workers: 2, slotsPerWorker: 2, processRestartUs: 500_000, hostRestartUs: 2_000_000 },
  budget: { most: { "process-crash": 1 }, jobMayFail: false },
  parallelisms: [1, 2], confluent: true, sometimes: [],
});
`;
}
