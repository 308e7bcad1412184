import type { RandomStream } from "#whitewater/engine/ports/rng.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import type { StateBackendName } from "#whitewater/engine/state/state-backend.js";
import type { TimerDomain } from "#whitewater/engine/state/state.js";
import { RandomStreams } from "#whitewater/simulator/world/random-streams.js";
import type { OpenOptions } from "../../test/contract/backend-under-test.ts";
import { configuredBackend } from "../../test/contract/configured-backend.ts";
import { LockStep } from "../../test/contract/lock-step-run.ts";
import type { Operation } from "../../test/contract/lock-step-run.ts";
import type { ControlFinding, ControlRun } from "../control.ts";
import { messageOf } from "../control.ts";

const OPERATIONS = 400;
const KEYS = 8;
const NAMESPACES = 3;
const ITEMS = 10;

/** What goes together; as often as it stands here, and twice that. */
const GROUPS = [
  ["update", "update", "clear-value"],
  ["add", "add", "add-all", "replace", "clear-list"],
  ["put", "put", "put", "remove", "clear-map"],
  ["fold", "fold", "fold", "clear-folds", "merge"],
  ["ttl-write", "ttl-read", "ttl-read", "ttl-clear", "pass-time"],
  ["register", "register", "register", "unregister", "poll", "watermark"],
] as const;
const ALWAYS = [
  ["maintain", "maintain"],
  ["begin", "begin", "step", "step", "step", "finish", "finish", "cancel", "complete", "complete", "abort", "crash"],
] as const;
type OperationKind = Operation["kind"];

/** What one run consists of: a run of few kinds at few places goes deeper there. */
interface Mix {
  readonly kinds: readonly OperationKind[];
  readonly keys: number;
  readonly namespaces: number;
}

function drawnMix(random: RandomStream): Mix {
  const groups = GROUPS.filter(() => random.below(2) === 0);
  const chosen = groups.length === 0 ? [GROUPS[random.below(GROUPS.length)]!] : groups;
  return {
    kinds: [...chosen, ...chosen, ...ALWAYS].flat(),
    keys: 1 + random.below(1 + random.below(KEYS)),
    namespaces: 1 + random.below(1 + random.below(NAMESPACES)),
  };
}

function drawnOperation({ kinds, keys, namespaces }: Mix, random: RandomStream): Operation {
  const kind = kinds[random.below(kinds.length)]!;
  const item = random.below(ITEMS);
  const place = { key: random.below(keys), namespace: random.below(namespaces) };
  const domain = random.below(2) as TimerDomain;
  switch (kind) {
    case "register":
    case "unregister":
      return { kind, ...place, item, domain };
    case "poll":
      return { kind, domain, item };
    case "watermark":
    case "pass-time":
    case "maintain":
      return { kind, item };
    case "begin":
      return { kind, canonical: random.below(2) === 0 };
    case "step":
    case "finish":
    case "cancel":
      return { kind, flight: random.below(3), item };
    case "complete":
    case "abort":
      return { kind, saved: random.below(3) };
    case "crash":
      return { kind, saved: random.below(4), parallelism: 1 + random.below(3) };
    default:
      return { kind, ...place, item };
  }
}

/**
 * A small job on one backend, and on the heap beside it: every kind of state, times to live, timers, snapshots in
 * flight, checkpoints that complete or not, crashes and other parallelisms, in an order that is drawn. Whatever is
 * read is what a plain model holds, and both write equal sections of it.
 */
export function keyedStateRun(seed: string, backend: StateBackendName, libraries: StateLibraries): ControlRun {
  const random = new RandomStreams(seed).stream("operations");
  const names: readonly StateBackendName[] = backend === "heap" ? ["heap"] : ["heap", backend];
  const findings: ControlFinding[] = [];
  const mix = drawnMix(random);
  const roomy = random.below(3) === 0;
  const run = new LockStep(
    names.map((name) => {
      const subject = configuredBackend(name, libraries);
      return { ...subject, open: (options: OpenOptions) => subject.open({ ...options, roomy }) };
    }),
  );
  let count = 20 + random.below(OPERATIONS);
  try {
    for (; count > 0; count--) run.apply(drawnOperation(mix, random));
    run.end();
  } catch (error) {
    findings.push({ oracle: "state model", message: messageOf(error) });
  }
  return { digest: (run.checksum() + count).toString(16), findings };
}
