import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { present, unreachable } from "../../engine/base/assert.ts";
import type { Scenario } from "../../simulator/scenario.ts";
import type { Flight } from "../../scenarios/flight.ts";
import { UsageError } from "../files/usage-error.ts";
import { nearest } from "../text/format.ts";
import type { FilePath, ScenarioSource } from "./scenario-source.ts";

/** A scenario with where it came from. */
export interface LoadedScenario {
  readonly source: ScenarioSource;
  readonly scenario: Scenario;
}

const SCENARIO_FILE = /\.(ts|mts|js|mjs)$/;

/** The scenarios that come with Whitewater. */
export async function libraryScenarios(): Promise<readonly Scenario[]> {
  return (await import("../../scenarios/registry.ts")).libraryScenarios;
}

/** Where the scenario that an argument names comes from: a file by its extension, else the library. */
export function scenarioSource(argument: string, input: string | null, cwd: string): ScenarioSource {
  const inputFile = input === null ? null : { path: resolve(cwd, input), shown: input };
  return SCENARIO_FILE.test(argument)
    ? { kind: "file", file: { path: resolve(cwd, argument), shown: argument }, input: inputFile }
    : { kind: "library", name: argument, input: inputFile };
}

/** What a command runs that names no scenario: all, or those that take the input. */
export async function defaultSources(input: string | null, cwd: string): Promise<ScenarioSource[]> {
  const { scenarios, scenariosOverFlights } = await import("../../scenarios/registry.ts");
  const chosen = input === null ? scenarios : scenariosOverFlights([]);
  return chosen.map(({ name }) => scenarioSource(name, input, cwd));
}

/** Loads a scenario; throws UsageError where it is absent or malformed, or its input is. */
export async function loadScenario(source: ScenarioSource): Promise<LoadedScenario> {
  switch (source.kind) {
    case "library":
      return { source, scenario: await libraryScenario(source.name, source.input) };
    case "file":
      if (source.input !== null) throw takesNoInput(source.file.shown, source.input, []);
      return { source, scenario: await scenarioOfFile(source.file) };
    default:
      return unreachable(source, "loadScenario");
  }
}

async function libraryScenario(name: string, input: FilePath | null): Promise<Scenario> {
  const { libraryScenarios: known, scenarioNamed, scenariosOverFlights } = await import("../../scenarios/registry.ts");
  const scenario = scenarioNamed(name);
  if (scenario === null) throw unknownScenario(name, known.map((one) => one.name));
  if (input === null) return scenario;
  const taking = scenariosOverFlights([]).map((one) => one.name);
  if (!taking.includes(name)) throw takesNoInput(name, input, taking);
  const over = scenariosOverFlights(await readFlights(input)).find((one) => one.name === name);
  return present(over, "the scenarios over flights have the same names for any flights");
}

async function readFlights(input: FilePath): Promise<readonly Flight[]> {
  const { InputError, readFlightsFile } = await import("../../scenarios/flights-input.ts");
  try {
    return readFlightsFile(input.path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const place = error.line === null ? "" : `:${error.line}:${error.column}`;
    throw new UsageError(`${input.shown}${place}`, error.reason, error.wayOut);
  }
}

function takesNoInput(name: string, input: FilePath, taking: readonly string[]): UsageError {
  const others = taking.length === 0 ? "" : `, or run ${taking.join(" or ")}`;
  return new UsageError(`--input ${input.shown}`, `${name} takes no input file`, `leave --input out${others}`);
}

function unknownScenario(name: string, known: readonly string[]): UsageError {
  const like = nearest(name, known);
  return new UsageError(
    `scenario ${JSON.stringify(name)}`,
    "there is none of that name",
    (like === null ? "choose " : `did you mean ${like}? or choose `) +
      `from ${known.join(", ")}, or give the path of your own .ts or .js file`,
  );
}

async function scenarioOfFile({ path, shown }: FilePath): Promise<Scenario> {
  if (!existsSync(path)) {
    throw new UsageError(`scenario file ${shown}`, "there is no such file", "give its path from the current directory");
  }
  const exported = await importScenarioFile(path, shown);
  const found = exported["scenario"] ?? exported["default"];
  if (found === undefined) {
    throw new UsageError(
      `scenario file ${shown}`,
      "exports no scenario",
      "add `export const scenario = defineScenario({ … })` or make it the default export",
    );
  }
  const { checkScenarioShape } = await import("./scenario-shape.ts");
  return checkScenarioShape(found, shown);
}

async function importScenarioFile(path: string, shown: string): Promise<Record<string, unknown>> {
  try {
    const url = pathToFileURL(path).href;
    if (!/\.m?ts$/.test(path)) return (await import(url)) as Record<string, unknown>;
    const { tsImport } = await import("tsx/esm/api");
    const exported = (await tsImport(url, import.meta.url)) as Record<string, unknown>;
    // A project without "type": "module": the hook gives its exports wrapped once more.
    const wrapped = exported["default"];
    const inner = typeof wrapped === "object" && wrapped !== null ? (wrapped as Record<string, unknown>) : {};
    return "__esModule" in inner ? inner : exported;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`scenario file ${shown}`, `cannot be loaded (${oneLine(reason)})`, "correct the file");
  }
}

function oneLine(text: string): string {
  const line = text.replace(/\s*\n\s*/g, " ");
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}
