import { resolve } from "node:path";
import type { ReportDocument, ReportHead } from "../document/report-document.ts";
import { renderJson } from "../document/render-json.ts";
import { renderBody, renderHead, renderText } from "../document/render-text.ts";
import { checkWritable, writeFileAtomically } from "../files/atomic-write.ts";
import { paintFor } from "./colours.ts";
import type { Host } from "./host.ts";
import type { ReporterSpec, RunCommandOptions } from "./run-options.ts";

/** Says what is going to run: first of the report, or on standard error where the report is none for people. */
export function printHead(head: ReportHead, options: RunCommandOptions, host: Host): void {
  const forPeople = options.reporters.some((reporter) => reporter.name === "default" && reporter.file === null);
  if (forPeople) host.stdout.write(renderHead(head, paintFor(host, options.color)));
  else host.stderr.write(renderHead(head));
}

const ANOTHER_FILE = "choose another file for the report";

/** Throws UsageError before a long sweep whose report could not be written. */
export function checkReportFiles(options: RunCommandOptions, host: Host): void {
  for (const { file } of options.reporters) {
    if (file !== null) checkWritable(resolve(host.cwd, file), ANOTHER_FILE);
  }
}

/** Hands the report to every reporter; standard output first, because a file may fail. */
export function publish(document: ReportDocument, options: RunCommandOptions, host: Host): void {
  for (const reporter of options.reporters) {
    if (reporter.file !== null) continue;
    if (reporter.name === "default") host.stdout.write(renderBody(document, paintFor(host, options.color)));
    else for (const piece of renderJson(document)) host.stdout.write(piece);
  }
  for (const reporter of options.reporters) {
    if (reporter.file === null) continue;
    writeFileAtomically(resolve(host.cwd, reporter.file), pieces(reporter, document), ANOTHER_FILE);
  }
}

function pieces(reporter: ReporterSpec, document: ReportDocument): Iterable<string> {
  return reporter.name === "json" ? renderJson(document) : [renderText(document)];
}
