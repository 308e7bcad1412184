import { importsOf, resolveImport, violation, type SourceFile, type Violation } from "./source-file.ts";

/** A folder imports only from itself and from those to its left. */
const LAYERS: readonly string[] = ["engine", "simulator", "scenarios", "reports"];

/** Inside the engine: what each folder may import beside itself. */
const ENGINE_LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  ports: ["base"],
  state: ["base", "ports", "stream"],
  stream: ["base", "ports", "state"],
  api: ["base", "ports", "stream", "state", "graph", "connectors"],
  graph: ["base", "ports", "stream", "state", "api"],
  operators: ["base", "ports", "stream", "state", "api", "graph"],
  checkpoint: ["base", "ports", "stream", "state", "graph"],
  restore: ["base", "ports", "stream", "state", "graph", "checkpoint"],
  connectors: ["base", "ports", "stream", "state", "api", "graph", "operators"],
  runtime: [
    "base",
    "ports",
    "stream",
    "state",
    "api",
    "graph",
    "operators",
    "checkpoint",
    "restore",
    "connectors",
  ],
};

/** What each may import besides, as types only. */
const ENGINE_TYPE_LAYERS: Readonly<Record<string, readonly string[]>> = {
  stream: ["api"],
  checkpoint: ["operators", "runtime"],
  restore: ["runtime"],
};

/** Packages that a layer may import; reports may import any dependency. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  engine: [],
  simulator: ["seedrandom", "fast-check"],
};

/** Imports point the way the house is built. */
export function layerRule(file: SourceFile): Violation[] {
  const [layer = "", folder = ""] = file.path.split("/");
  const rank = LAYERS.indexOf(layer);
  if (rank < 0) return [];
  const violations: Violation[] = [];
  for (const { specifier, offset, typeOnly } of importsOf(file)) {
    const report = (message: string): number => violations.push(violation(file, offset, "layers", message));
    const target = resolveImport(file.path, specifier);
    if (target === null) {
      const allowed = PACKAGES[layer];
      if (allowed !== undefined && !allowed.includes(specifier)) {
        report(`${layer} must not import ${specifier}; reach the world through a port, or move this to reports`);
      }
      continue;
    }
    const [targetLayer = "", targetFolder = ""] = target.split("/");
    const targetRank = LAYERS.indexOf(targetLayer);
    if (targetRank > rank) report(`${layer} must not import from ${targetLayer}; move the shared part to ${layer}`);
    if (layer !== "engine" || targetLayer !== "engine" || folder === targetFolder) continue;
    const allowed = ENGINE_LAYERS[folder];
    if (allowed === undefined) report(`no rule for engine/${folder}; say in the layer rules what it may import`);
    else if (typeOnly && ENGINE_TYPE_LAYERS[folder]?.includes(targetFolder) === true) continue;
    else if (!allowed.includes(targetFolder)) {
      report(`engine/${folder} must not import from engine/${targetFolder}; hand it in, or move the shared part down`);
    }
  }
  return violations;
}

/** Every file is reached from an entry point, a worker or a test. `entries` are paths. */
export function deadFileRule(files: readonly SourceFile[], entries: readonly string[]): Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const waiting = [...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const file = byPath.get(path);
    if (file === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const { specifier } of importsOf(file)) {
      const target = resolveImport(path, specifier);
      if (target !== null) waiting.push(target);
    }
  }
  return files
    .filter((file) => !reached.has(file.path))
    .map((file) => violation(file, 0, "dead file", "nothing imports it; delete it, or import it where it is needed"));
}
