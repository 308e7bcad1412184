import type { Journey } from "../../travel/journey.ts";
import type { View } from "../view.ts";
import { blobsFacts, blobsLines } from "./blobs-view.ts";
import { hostFacts, hostLines } from "./host-view.ts";
import { leadershipFacts } from "./job-manager-facts.ts";
import { jobManagerLines } from "./job-manager-lines.ts";
import { logFacts } from "./log-facts.ts";
import { logLines } from "./log-lines.ts";
import { parseWindow } from "./state-argument.ts";
import { stateView } from "./state-view.ts";

type Inspect = (journey: Journey, step: number, argument: string) => View;

/** What can be looked into, by the name that `--show` takes. */
export const INSPECTED: Readonly<Record<string, Inspect>> = {
  state: stateView,
  host: ({ machine }, step, argument) => {
    const { name, window } = parseWindow(argument);
    const facts = hostFacts(machine.seek(step), name, window);
    return { facts, lines: hostLines(facts) };
  },
  "job-manager": (journey, step, argument) => jobManagerView(journey, step, argument === "" ? null : argument),
  blobs: ({ machine }, step, argument) => {
    const facts = blobsFacts(machine.seek(step), parseWindow(argument).window);
    return { facts, lines: blobsLines(facts) };
  },
  log: ({ machine }, step, argument) => {
    const facts = logFacts(machine.seek(step), parseWindow(argument).window);
    return { facts, lines: logLines(facts) };
  },
};

/** "jm-1": one JobManager by its name. Null for any other name. */
export function inspectedByName(name: string): Inspect | null {
  return /^jm-\d+$/.test(name) ? (journey, step) => jobManagerView(journey, step, name) : null;
}

function jobManagerView({ machine, tape }: Journey, step: number, name: string | null): View {
  const facts = leadershipFacts(machine.seek(step), tape, step, name);
  return { facts, lines: jobManagerLines(facts) };
}
