import { isNode, lineOf, nameOf, violation, walk, type SourceFile, type SyntaxNode, type Violation } from "./source-file.ts";

const HOUSE = /^(engine|simulator|scenarios|reports)\//;
export const FILE_LINES_LIMIT = 400;
export const FUNCTION_LINES_LIMIT = 70;

/** Files and functions can be read at a sitting. */
export function lengthRule(file: SourceFile): Violation[] {
  const violations: Violation[] = [];
  const lines = lineOf(file, file.text.length);
  if (lines > FILE_LINES_LIMIT) {
    violations.push(
      violation(file, file.text.length, "length", `${lines} lines, at most ${FILE_LINES_LIMIT}; one noun a file: split it`),
    );
  }
  if (!HOUSE.test(file.path)) return violations;
  walk(file.program, (node) => {
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return;
    const length = lineOf(file, node.end) - lineOf(file, node.start) + 1;
    if (length > FUNCTION_LINES_LIMIT) {
      const message = `a function of ${length} lines, at most ${FUNCTION_LINES_LIMIT}; give its parts names`;
      violations.push(violation(file, node.start, "length", message));
    }
  });
  return violations;
}

/** A file is called after its noun. */
export function nameRule(file: SourceFile): Violation[] {
  const vague = file.path.split("/").find((part) => /^(.*-)?(utils?|helpers?|common|misc)(\.test)?(\.ts)?$/.test(part));
  const message = `"${vague}" says nothing; name it after the noun it holds`;
  return vague === undefined ? [] : [violation(file, 0, "names", message)];
}

/** What is exported has one name. */
export function defaultExportRule(file: SourceFile): Violation[] {
  const violations: Violation[] = [];
  walk(file.program, (node) => {
    const isDefault =
      node.type === "ExportDefaultDeclaration" ||
      (node.type === "ExportSpecifier" && nameOf(node["exported"]) === "default");
    if (isDefault) violations.push(violation(file, node.start, "default export", "export it by its name"));
  });
  return violations;
}

/** The compiler proves that a switch over a union forgets no member, and a wrong value fails loudly. */
export function switchRule(file: SourceFile): Violation[] {
  if (!HOUSE.test(file.path)) return [];
  const violations: Violation[] = [];
  walk(file.program, (node) => {
    if (node.type !== "SwitchStatement" || !isKind(node["discriminant"])) return;
    const last = (node["cases"] as SyntaxNode[]).at(-1);
    if (last !== undefined && last["test"] === null && callsUnreachable(last)) return;
    const message = "a switch over kind ends in `default: return unreachable(value, \"where\")`";
    violations.push(violation(file, node.start, "switch", message));
  });
  return violations;
}

function isKind(discriminant: unknown): boolean {
  if (!isNode(discriminant)) return false;
  return nameOf(discriminant) === "kind" || nameOf(discriminant["property"]) === "kind";
}

function callsUnreachable(node: SyntaxNode): boolean {
  let found = false;
  walk(node, (inner) => {
    if (inner.type === "CallExpression" && nameOf(inner["callee"]) === "unreachable") found = true;
  });
  return found;
}

/** A test that does not run promises nothing. */
export function skippedTestRule(file: SourceFile): Violation[] {
  const violations: Violation[] = [];
  walk(file.program, (node) => {
    if (node.type !== "MemberExpression" || !/^(it|test|describe)$/.test(nameOf(node["object"]))) return;
    const property = nameOf(node["property"]);
    if (/^(skip|only|todo|fails)$/.test(property)) {
      violations.push(violation(file, node.start, "tests", `${property} must not stay; make it run or delete it`));
    }
  });
  return violations;
}

/** Paths and hosts of one machine. Written in pieces, or this file would violate its own rule. */
const MACHINE = new RegExp(
  ["(?<![\\w.])/(?:work|home|root|Users)" + "/[\\w.-]+", "[A-Z]:\\\\Users", "(?:registry|artifactory|nexus|npm)" + "\\.[\\w.-]+\\.(?:com|org|net|io|dev|local|internal|corp|lan)\\b"].join("|"),
  "g",
);

/** Nothing in the repository knows the machine it was written on. Any text file. */
export function machineRule(path: string, text: string): Violation[] {
  const violations: Violation[] = [];
  text.split("\n").forEach((line, i) => {
    for (const [found] of line.matchAll(MACHINE)) {
      if (path === "package-lock.json" && found === "registry." + "npmjs.org") continue;
      violations.push({
        path,
        line: i + 1,
        rule: "machine",
        message: `"${found}" belongs to one machine; use a relative path, or leave it out`,
      });
    }
  });
  return violations;
}
