import { parseArgs } from "node:util";
import { bareMap, differential, handWritten } from "./baselines.ts";
import { engine } from "./counting.ts";
import type { Explored } from "./exploring.ts";
import { exploreFlights, exploreWindows, exploreWithFastCheck } from "./exploring.ts";
import { CHECKPOINT_MODES } from "#whitewater/engine/graph/job-modes.js";
import type { CheckpointMode } from "#whitewater/engine/graph/job-modes.js";
import { selfTimes } from "./profile.ts";
import type { BenchDocument, Target } from "./report.ts";
import { asText, atMost, machine, profileText, target } from "./report.ts";
import type { Contender, Measured } from "./rounds.ts";
import { measure } from "./rounds.ts";
import type { Sought } from "./seeking.ts";
import { seekLongRun } from "./seeking.ts";
import { measureAllCrashes, measureAllRestores, measureState } from "./state/state-bench.ts";

const USAGE = `Benchmarks: everything in one process, contenders in turn, medians.

  throughput | exploring   only these (default: both)
  modes                    calm throughput by checkpoint mode, and without checkpoints
  state                    state backends against LevelDB and bare SQLite on the real disk, up to a million
                           keys; takes a quarter of an hour, so only when it is named
  restores                 time and bytes of a checkpoint and of a restore against the size of the state, for each
                           backend and restore strategy; likewise
  seeking                  going to any step of a run of 100,000, by paused Worlds and by a fresh one each time
  crashes                  memory over 10,000 simulated crashes with each backend; likewise
  --json                   the result as JSON
  --profile NAME           one of ${"engine-1, engine-4, engine-1-oracles, engine-4-oracles, flights, windows"} under a
                           sampling profiler: the functions that take the time
  --records N              records of a throughput run (default 1,000,000)
  --rounds N               counted rounds (default 7; of state 3)
  --runs N                 runs of an exploring benchmark (default 200)
  --keys N                 the greater number of keys of state (default 1,000,000)
  --crashes N              crashes with each backend (default 10,000)
`;

const BENCHMARKS: readonly string[] = ["throughput", "exploring", "modes", "state", "restores", "seeking", "crashes"];
/** Null: no checkpoints at all. */
const MODES: readonly (CheckpointMode | null)[] = [null, ...CHECKPOINT_MODES];
const WARM_UP_ROUNDS = 2;
const THROUGHPUT_ROUNDS = 7;
const STATE_ROUNDS = 3;
/** The differential dataflow is slow enough to be measured on few. */
const DIFFERENTIAL_SHARE = 50;
const FUNCTIONS_SHOWN = 40;

interface Settings {
  readonly records: number;
  /** Null: as many as the benchmark wants. */
  readonly rounds: number | null;
  readonly runs: number;
  readonly keys: number;
  readonly crashes: number;
}

function throughput({ records, rounds: asked }: Settings): { readonly measured: readonly Measured[]; readonly targets: readonly Target[] } {
  const rounds = asked ?? THROUGHPUT_ROUNDS;
  const bare: readonly Contender[] = [
    engine(records, 1, false),
    engine(records, 4, false),
    handWritten(records, 1),
    handWritten(records, 4),
    bareMap(records),
    differential(Math.ceil(records / DIFFERENTIAL_SHARE)),
  ];
  const first = measure(bare, WARM_UP_ROUNDS, rounds);
  // Afterwards, so that nothing the oracles do to the job or to compiled code touches the figures above.
  const watched: readonly Contender[] = [
    { ...engine(records, 1, false), name: "the same again, parallelism 1, oracles off" },
    engine(records, 1, true),
    { ...engine(records, 4, false), name: "the same again, parallelism 4, oracles off" },
    engine(records, 4, true),
  ];
  const second = measure(watched, WARM_UP_ROUNDS, rounds);
  const perSecond = (all: readonly Measured[]): readonly number[] => all.map((one) => one.unitsPerSecond);
  const [engine1 = 0, engine4 = 0, hand1 = 0, hand4 = 0, map = 0, d2 = 0] = perSecond(first);
  const [off1 = 0, on1 = 0, off4 = 0, on4 = 0] = perSecond(second);
  return {
    measured: [...first, ...second],
    targets: [
      target("engine / hand-written, parallelism 1", engine1 / hand1, 0.4),
      target("engine / hand-written, parallelism 4", engine4 / hand4, 0.4),
      target("engine / bare Map, parallelism 1", engine1 / map, 0.1),
      target("engine / bare Map, parallelism 4", engine4 / map, 0.1),
      target("engine / d2ts, parallelism 1", engine1 / d2, 20),
      target("engine / d2ts, parallelism 4", engine4 / d2, 20),
      target("oracles on / off, parallelism 1", on1 / off1, 1 / 3),
      target("oracles on / off, parallelism 4", on4 / off4, 1 / 3),
    ],
  };
}

/** What checkpoints cost a calm job: the same job in each mode and without any, in turn. */
function modes({ records, rounds }: Settings): readonly Measured[] {
  const contenders = MODES.map((mode): Contender => ({ ...engine(records, 4, false, mode), name: `parallelism 4, ${mode ?? "no"} checkpoints` }));
  return measure(contenders, WARM_UP_ROUNDS, rounds ?? THROUGHPUT_ROUNDS);
}

async function exploring({ runs }: Settings): Promise<{ readonly explored: readonly Explored[]; readonly targets: readonly Target[] }> {
  const flights = exploreFlights(runs);
  const windows = exploreWindows(runs);
  const peer = await exploreWithFastCheck(runs);
  return {
    explored: [flights, windows, peer],
    targets: [
      target("flights: trace points/s", flights.tracePointsPerSecond, 1_000_000),
      target("flights: runs/s", flights.runsPerSecond, 100),
      target("1,000 records: trace points/s", windows.tracePointsPerSecond, 1_000_000),
      target("1,000 records: runs/s", windows.runsPerSecond, 100),
    ],
  };
}

function profile(name: string, settings: Settings): string {
  const engines: Readonly<Record<string, readonly [number, boolean]>> = {
    "engine-1": [1, false],
    "engine-4": [4, false],
    "engine-1-oracles": [1, true],
    "engine-4-oracles": [4, true],
  };
  const chosen = engines[name];
  if (chosen !== undefined) {
    const contender = engine(settings.records, ...chosen);
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1) contender.run();
    const times = selfTimes(() => {
      for (let round = 0; round < (settings.rounds ?? THROUGHPUT_ROUNDS); round += 1) contender.run();
    });
    return profileText(name, times, FUNCTIONS_SHOWN);
  }
  if (name === "flights") return profileText(name, selfTimes(() => void exploreFlights(settings.runs)), FUNCTIONS_SHOWN);
  if (name === "windows") return profileText(name, selfTimes(() => void exploreWindows(settings.runs)), FUNCTIONS_SHOWN);
  throw new RangeError(`there is no benchmark "${name}" to profile`);
}

function positive(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`--${option} takes a whole number above 0, not "${text}"`);
  return value;
}

/** Of what somebody at a screen does. */
function seekTargets({ kinds }: Sought): readonly Target[] {
  return kinds.slice(0, 2).flatMap(({ kind, medianMilliseconds, worstMilliseconds }) => [
    atMost(`seeking, ${kind}: median ms`, medianMilliseconds, 50),
    atMost(`seeking, ${kind}: worst ms`, worstMilliseconds, 200),
  ]);
}

async function measured(settings: Settings, names: readonly string[]): Promise<BenchDocument> {
  for (const name of names) if (!BENCHMARKS.includes(name)) throw new RangeError(`there is no benchmark "${name}"`);
  const wants = (name: string): boolean => names.length === 0 || names.includes(name);
  const counted = wants("throughput") ? throughput(settings) : { measured: [], targets: [] };
  const swept = wants("exploring") ? await exploring(settings) : { explored: [], targets: [] };
  const state = names.includes("state") ? await measureState(settings.rounds ?? STATE_ROUNDS, settings.keys) : null;
  const sought = names.includes("seeking") ? [seekLongRun()] : [];
  const crashes = names.includes("crashes") ? await measureAllCrashes(settings.crashes) : null;
  return {
    ...machine(),
    throughput: [...counted.measured, ...(names.includes("modes") ? modes(settings) : [])],
    exploring: swept.explored,
    state: state?.document ?? null,
    restores: names.includes("restores") ? await measureAllRestores(settings.rounds ?? 1, settings.keys) : [],
    seeking: sought,
    crashes: crashes?.document ?? [],
    targets: [...counted.targets, ...swept.targets, ...(state?.targets ?? []), ...sought.flatMap(seekTargets), ...(crashes?.targets ?? [])],
  };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      profile: { type: "string" },
      records: { type: "string", default: "1000000" },
      rounds: { type: "string" },
      runs: { type: "string", default: "200" },
      keys: { type: "string", default: "1000000" },
      crashes: { type: "string", default: "10000" },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const settings: Settings = {
    records: positive(values.records, "records"),
    rounds: values.rounds === undefined ? null : positive(values.rounds, "rounds"),
    runs: positive(values.runs, "runs"),
    keys: positive(values.keys, "keys"),
    crashes: positive(values.crashes, "crashes"),
  };
  if (values.profile !== undefined) {
    process.stdout.write(profile(values.profile, settings));
    return;
  }
  const document = await measured(settings, positionals);
  process.stdout.write(values.json ? `${JSON.stringify(document, null, 2)}\n` : asText(document));
}

try {
  await main();
} catch (error) {
  const isUsage = error instanceof RangeError || (error instanceof TypeError && "code" in error);
  if (!isUsage) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
