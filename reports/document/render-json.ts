import { visibleJson } from "../text/visible.ts";
import type { ReportDocument } from "./report-document.ts";

/** The document as JSON, in pieces: a run a line, so that a long list of runs is never one string. */
export function* renderJson(document: ReportDocument): Generator<string, undefined> {
  const { runs, ...rest } = document;
  const head = visibleJson(JSON.stringify(rest, null, 2));
  yield head.slice(0, head.lastIndexOf("\n}"));
  if (runs === null) {
    yield ',\n  "runs": null\n}\n';
    return;
  }
  yield ',\n  "runs": [';
  let separator = "\n    ";
  for (const run of runs) {
    yield separator + visibleJson(JSON.stringify(run));
    separator = ",\n    ";
  }
  yield "\n  ]\n}\n";
}
