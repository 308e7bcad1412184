import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync, transformSync } from "esbuild";
import type { Edit, PlantedBug } from "./planted-bug.ts";

/** Pairs of a module's URL and the source it gets instead of what lies there. */
export type Sources = readonly (readonly [url: string, source: string])[];

const ROOT = new URL("../", import.meta.url);

/** The bug's edits do not fit the engine's source any more. */
export class StaleBugError extends Error {
  override readonly name = "StaleBugError";
}

/** The modules of the compiled engine that a bug changes. Throws StaleBugError where an edit does not fit. */
export function mutatedModules(bug: PlantedBug): Sources {
  const files = [...new Set(bug.edits.map(({ file }) => file))];
  return files.map((file) => {
    const source = applyEdits(bug.id, file, bug.edits.filter((edit) => edit.file === file));
    try {
      return [compiledUrl(file), asCompiled(stripped(source, file))];
    } catch (error) {
      throw new StaleBugError(`planted bug "${bug.id}": ${file} is not valid with its edits`, { cause: error });
    }
  });
}

/** The same for files of the engine as they are: what the mutation itself must leave unchanged. */
export function unchangedModules(files: readonly string[]): Sources {
  return files.map((file) => [compiledUrl(file), asCompiled(stripped(sourceOf(file), file))]);
}

const bundles: Map<string, readonly [url: string, source: string]> = new Map();

/**
 * A TypeScript file of this folder, with all it imports from this folder and from the tests, as one module that
 * plain Node can load. The compiled engine stays outside: the module gets the one that is served to it.
 */
export function bundledModule(file: string): readonly [url: string, source: string] {
  const known = bundles.get(file);
  if (known !== undefined) return known;
  const url = new URL(file, import.meta.url);
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(url)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "esnext",
    external: ["#whitewater/*"],
    packages: "external",
    sourcemap: "inline",
  });
  const bundle = [url.href, outputFiles[0]?.text ?? ""] as const;
  bundles.set(file, bundle);
  return bundle;
}

function applyEdits(bug: string, file: string, edits: readonly Edit[]): string {
  let source = sourceOf(file);
  for (const { find, replace } of edits) {
    const times = source.split(find).length - 1;
    if (times !== 1) {
      const quoted = find.trim().split("\n", 1)[0] ?? "";
      throw new StaleBugError(`planted bug "${bug}": its text "${quoted}" stands ${times} times in ${file}, not once`);
    }
    source = source.replace(find, () => replace);
  }
  return source;
}

function sourceOf(file: string): string {
  return readFileSync(new URL(file, ROOT), "utf8");
}

function compiledUrl(file: string): string {
  return new URL(`dist/${file.replace(/\.ts$/, ".js")}`, ROOT).href;
}

/** Specifiers as the compiler writes them. */
function asCompiled(code: string): string {
  return code.replace(/(from\s*")(\.{1,2}\/[^"]+)\.ts"/g, '$1$2.js"');
}

/** Types away. The map leads stack traces to the mutated text. */
function stripped(source: string, file: string): string {
  const { code } = transformSync(source, {
    loader: "ts",
    format: "esm",
    target: "esnext",
    sourcefile: fileURLToPath(new URL(file, ROOT)),
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
  return code;
}
