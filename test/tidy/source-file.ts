import { parseSync, visitorKeys } from "oxc-parser";

/** A node of the syntax tree, as far as the rules need to know it. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface SourceFile {
  /** From the root of the repository, with "/". */
  readonly path: string;
  readonly text: string;
  readonly program: SyntaxNode;
}

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  /** What is wrong, and what to write instead. */
  readonly message: string;
}

export function parseSource(path: string, text: string): SourceFile {
  const { program, errors } = parseSync(path, text);
  const first = errors[0];
  if (first !== undefined) throw new Error(`${path}: ${first.message}`);
  return { path, text, program: program as unknown as SyntaxNode };
}

/** Calls `visit` for every node, parents before children. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode, parents: readonly SyntaxNode[]) => void): void {
  const parents: SyntaxNode[] = [];
  const descend = (current: SyntaxNode): void => {
    visit(current, parents);
    parents.push(current);
    for (const key of visitorKeys[current.type] ?? []) {
      const child = current[key];
      for (const one of Array.isArray(child) ? (child as unknown[]) : [child]) if (isNode(one)) descend(one);
    }
    parents.pop();
  };
  descend(node);
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

export function lineOf(file: SourceFile, offset: number): number {
  let line = 1;
  for (let i = file.text.indexOf("\n"); i !== -1 && i < offset; i = file.text.indexOf("\n", i + 1)) line++;
  return line;
}

export function violation(file: SourceFile, offset: number, rule: string, message: string): Violation {
  return { path: file.path, line: lineOf(file, offset), rule, message };
}

export function described({ path, line, rule, message }: Violation): string {
  return `${path}:${line}  ${rule}: ${message}`;
}

export interface Import {
  readonly specifier: string;
  readonly offset: number;
  readonly typeOnly: boolean;
}

/** What a file imports or re-exports, however. */
export function importsOf(file: SourceFile): Import[] {
  const imports: Import[] = [];
  const add = (literal: unknown, { start, type, importKind, exportKind }: SyntaxNode): void => {
    if (!isNode(literal) || typeof literal["value"] !== "string") return;
    const typeOnly = importKind === "type" || exportKind === "type" || type === "TSImportType";
    imports.push({ specifier: literal["value"], offset: start, typeOnly });
  };
  walk(file.program, (node) => {
    switch (node.type) {
      case "ImportDeclaration":
      case "ExportNamedDeclaration":
      case "ExportAllDeclaration":
      case "ImportExpression":
      case "TSImportType":
        add(node["source"], node);
        break;
      case "NewExpression":
        // new URL("./worker.js", import.meta.url): a file that runs on its own.
        if (nameOf(node["callee"]) === "URL") add((node["arguments"] as unknown[])[0], node);
        break;
    }
  });
  return imports;
}

/** The name of an identifier, else "". */
export function nameOf(node: unknown): string {
  return isNode(node) && node.type === "Identifier" ? String(node["name"]) : "";
}

/** The path that a relative specifier of a file means, with ".ts" for ".js"; null for packages. */
export function resolveImport(from: string, specifier: string): string | null {
  const own = specifier.startsWith("#whitewater/") ? specifier.slice("#whitewater/".length) : null;
  if (own === null && !specifier.startsWith(".")) return null;
  const parts = own === null ? from.split("/").slice(0, -1) : [];
  for (const part of (own ?? specifier).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/").replace(/\.js$/, ".ts");
}
