import type { z } from "zod";

/** The first thing a schema found wrong, in one line: where and what. */
export function schemaComplaint(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "is malformed";
  const where = issue.path.length === 0 ? "" : `${pathText(issue.path)}: `;
  return where + lowerFirst(issue.message);
}


function pathText(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? String(part) : `.${String(part)}`;
  }
  return text;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
