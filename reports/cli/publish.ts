import { resolve } from "node:path";
import type { ReportDocument, ReportHead } from "../document/report-document.ts";
import { renderJson } from "../document/render-json.ts";
import { renderBody, renderHead, renderText } from "../document/render-text.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { paintFor } from "./colours.ts";
import type { Host } from "./host.ts";
import type { ReporterSpec, RunCommandOptions } from "./run-options.ts";

/** Says what is going to run: first of the report, or on standard error where the report is none for people. */
export function printHead(head: ReportHead, options: RunCommandOptions, host: Host): void {
  const forPeople = options.reporters.some((reporter) => reporter.name === "default" && reporter.file === null);
  if (forPeople) host.stdout.write(renderHead(head, paintFor(host, options.color)));
  else host.stderr.write(renderHead(head));
}

/** Hands the report to every reporter: files first, then standard output. */
export function publish(document: ReportDocument, options: RunCommandOptions, host: Host): void {
  const toFiles = options.reporters.filter((reporter) => reporter.file !== null);
  const toStdout = options.reporters.filter((reporter) => reporter.file === null);
  for (const reporter of toFiles) {
    const path = resolve(host.cwd, reporter.file ?? "");
    writeFileAtomically(path, pieces(reporter, document), "choose another file for the report");
  }
  for (const reporter of toStdout) {
    if (reporter.name === "default") host.stdout.write(renderBody(document, paintFor(host, options.color)));
    else for (const piece of renderJson(document)) host.stdout.write(piece);
  }
}

function pieces(reporter: ReporterSpec, document: ReportDocument): Iterable<string> {
  return reporter.name === "json" ? renderJson(document) : [renderText(document)];
}
