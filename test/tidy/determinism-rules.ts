import { isNode, nameOf, violation, walk, type SourceFile, type SyntaxNode, type Violation } from "./source-file.ts";

const RULE = "determinism";
const LAYERS = /^(engine|simulator)\//;

/** Globals that must not be used, with what to use instead. */
const GLOBALS: ReadonlyMap<string, string> = new Map([
  ["Promise", "let the scheduler deliver a callback"],
  ["setTimeout", "use Scheduler.after"],
  ["setInterval", "use Scheduler.after, again and again"],
  ["setImmediate", "use Scheduler.after"],
  ["queueMicrotask", "use Scheduler.after"],
  ["Intl", "format in reports"],
  ["process", "take it from a port, or do it in reports"],
  ["console", "emit a trace point, or print in reports"],
  ["performance", "use Clock.nowUs"],
  ["crypto", "use a stream of Rng, or hash in engine/base"],
  ["fetch", "use a port"],
  ["WeakRef", "collection is not deterministic; keep the reference or drop it"],
  ["FinalizationRegistry", "collection is not deterministic; release at a known step"],
]);

/** What of Math is the same to the bit everywhere. */
const EXACT_MATH: ReadonlySet<string> = new Set([
  "abs",
  "ceil",
  "clz32",
  "floor",
  "fround",
  "imul",
  "max",
  "min",
  "round",
  "sign",
  "sqrt",
  "trunc",
]);

/** Nothing in engine and simulator depends on the machine, the clock or the order of promises. */
export function determinismRule(file: SourceFile): Violation[] {
  if (!LAYERS.test(file.path)) return [];
  const violations: Violation[] = [];
  const declared = declaredNames(file);
  const report = (node: SyntaxNode, what: string, instead: string): void => {
    violations.push(violation(file, node.start, RULE, `${what} is banned here; ${instead}`));
  };
  walk(file.program, (node, parents) => {
    switch (node.type) {
      case "AwaitExpression":
        return report(node, "await", "wait for an event: take a callback");
      case "ArrowFunctionExpression":
      case "FunctionExpression":
      case "FunctionDeclaration":
        if (node["async"] === true) report(node, "async", "take a callback and return");
        return;
      case "ForOfStatement":
        if (node["await"] === true) report(node, "for await", "take a callback for each");
        return;
      case "BinaryExpression":
      case "AssignmentExpression":
        if (node["operator"] === "**" || node["operator"] === "**=") {
          report(node, "**", "its bits differ between Node versions; multiply, or shift");
        }
        return;
      case "NewExpression":
        return checkNewDate(node, report);
      case "CallExpression":
        if (nameOf(node["callee"]) === "Date" && !declared.has("Date")) report(node, "Date()", "use Clock");
        return;
      case "MemberExpression":
        return checkMember(node, report);
      case "Identifier":
        return checkGlobal(node, parents.at(-1), declared, report);
    }
  });
  return violations;
}

type Report = (node: SyntaxNode, what: string, instead: string) => void;

function checkNewDate(node: SyntaxNode, report: Report): void {
  if (nameOf(node["callee"]) !== "Date") return;
  const [argument] = node["arguments"] as SyntaxNode[];
  if (argument === undefined) report(node, "new Date()", "use Clock.processingTimeMs");
  else if (argument.type === "TemplateLiteral" || typeof argument["value"] === "string") {
    report(node, "new Date of a string", "it depends on the time zone; give milliseconds");
  }
}

function checkMember(node: SyntaxNode, report: Report): void {
  const property = nameOf(node["property"]);
  if (node["computed"] === true || property === "") return;
  const object = nameOf(node["object"]);
  if (object === "Math" && /^[a-z]/.test(property) && !EXACT_MATH.has(property)) {
    const instead = property === "random" ? "use a stream of Rng" : "its bits differ between machines; use whole numbers";
    report(node, `Math.${property}`, instead);
  }
  if (object === "Date" && (property === "now" || property === "parse")) {
    report(node, `Date.${property}`, property === "now" ? "use Clock" : "it depends on the time zone; parse by hand");
  }
  if (property.startsWith("toLocale") || property === "localeCompare") {
    report(node, property, "it depends on the locale; compare with < and format in reports");
  }
}

function checkGlobal(
  node: SyntaxNode,
  parent: SyntaxNode | undefined,
  declared: ReadonlySet<string>,
  report: Report,
): void {
  const name = nameOf(node);
  const instead = GLOBALS.get(name);
  if (instead === undefined || declared.has(name) || parent === undefined) return;
  const isName =
    (parent["property"] === node && parent["computed"] !== true) ||
    (parent["key"] === node && parent["computed"] !== true && parent["shorthand"] !== true) ||
    parent["label"] === node;
  if (!isName) report(node, name, instead);
}

/** Names that the file itself declares anywhere: not the globals of that name. */
function declaredNames(file: SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  const addPattern = (pattern: unknown): void => {
    if (!isNode(pattern)) return;
    walk(pattern, (node) => {
      if (node.type === "Identifier") names.add(nameOf(node));
    });
  };
  walk(file.program, (node) => {
    if (node.type === "VariableDeclarator" || node.type.endsWith("Declaration")) addPattern(node["id"]);
    if (node.type.startsWith("Import") && node.type.endsWith("Specifier")) addPattern(node["local"]);
    if (node.type === "CatchClause") addPattern(node["param"]);
    for (const parameter of Array.isArray(node["params"]) ? node["params"] : []) addPattern(parameter);
  });
  return names;
}

const READ_ONLY_TYPE = /^(readonly\b|Readonly|\{\s*readonly\b)/;
const CONTAINERS = /^(Map|Set|WeakMap|WeakSet|Array)$/;

/** Two Worlds in one process share nothing: a module keeps nothing that changes. */
export function moduleStateRule(file: SourceFile): Violation[] {
  if (!LAYERS.test(file.path)) return [];
  const violations: Violation[] = [];
  const report = (node: SyntaxNode, message: string): void => {
    violations.push(violation(file, node.start, "module state", message));
  };
  for (const statement of file.program["body"] as SyntaxNode[]) {
    const declaration = isNode(statement["declaration"]) ? statement["declaration"] : statement;
    if (declaration.type !== "VariableDeclaration" || declaration["declare"] === true) continue;
    if (declaration["kind"] !== "const") {
      report(declaration, `a module-level ${String(declaration["kind"])} is banned; keep it in the World`);
    }
    for (const declarator of declaration["declarations"] as SyntaxNode[]) {
      if (isMutableContainer(declarator, file)) {
        report(declarator, "a mutable container on module level is banned; make it `as const` or annotate it readonly");
      }
    }
  }
  walk(file.program, (node) => {
    if (node.type === "PropertyDefinition" && node["static"] === true && node["readonly"] !== true) {
      report(node, "a static field that is not readonly is banned; keep it in the World");
    }
  });
  return violations;
}

function isMutableContainer(declarator: SyntaxNode, file: SourceFile): boolean {
  const initial = declarator["init"];
  if (!isNode(initial)) return false;
  const isContainer =
    initial.type === "ArrayExpression" ||
    initial.type === "ObjectExpression" ||
    (initial.type === "NewExpression" && CONTAINERS.test(nameOf(initial["callee"])));
  const annotation = isNode(declarator["id"]) ? declarator["id"]["typeAnnotation"] : null;
  const type = isNode(annotation) ? file.text.slice(annotation.start, annotation.end).replace(/^:\s*/, "") : "";
  // A named type says itself what is readonly in it; a literal type or none does not.
  const isNamedType = /^[A-Z]\w*(\.|<|$)/.test(type) && !/^(Map|Set|WeakMap|WeakSet|Array)\b/.test(type);
  return isContainer && !READ_ONLY_TYPE.test(type) && !isNamedType;
}
