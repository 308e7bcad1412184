import { join, resolve } from "node:path";
import { unreachable } from "../../engine/base/assert.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { UsageError } from "../files/usage-error.ts";
import { shellQuoted } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import { reproductionOf, type RecordSource } from "../travel/branch-record.ts";
import type { Journey } from "../travel/journey.ts";
import { show } from "../views/show.ts";
import { viewJson, viewText, type ShownView } from "../views/view-document.ts";
import type { Terminal } from "./terminal.ts";
import type { Request } from "./ui-action.ts";
import { UiBranches } from "./ui-branches.ts";
import type { UiStore } from "./ui-store.ts";

const RECORDS = ".whitewater";
/** Where views are written, in the directory of the records. */
const VIEWS = join(RECORDS, "views");
const WRITABLE = "start in a directory that can be written to";

/** Lines of a panel that are written at most. */
const EXPORTED_LINES = 10_000;

/** Carries out what is asked for beyond the screen. */
export class UiRequests {
  readonly #terminal: Terminal;
  readonly #cwd: string;
  readonly #origin: RecordSource;
  readonly #copied = new Set<string>();
  readonly #branches = new UiBranches();

  /** `origin`: of the runs, for records of them. */
  constructor(terminal: Terminal, cwd: string, origin: RecordSource) {
    this.#terminal = terminal;
    this.#cwd = cwd;
    this.#origin = origin;
  }

  /** The commands that were copied, each once: to be printed at the end, because a terminal may know no clipboard. */
  get copied(): readonly string[] {
    return [...this.#copied];
  }

  /** Gives up the branches. */
  release(): void {
    this.#branches.release();
  }

  carryOut(what: Request, store: UiStore): void {
    try {
      this.#carryOut(what, store);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      store.dispatch({ type: "say", text: error.message, tone: "bad" });
    }
  }

  #carryOut(what: Request, store: UiStore): void {
    switch (what) {
      case "copy":
        this.#copy(store);
        return;
      case "export":
        this.#export(store);
        return;
      case "restore":
        this.#branches.restore(store);
        return;
      case "toggle":
        this.#branches.toggle(store);
        return;
      case "back":
        this.#branches.back(store);
        return;
      case "compare":
        this.#branches.compare(store);
        return;
      case "quit":
        return;
      default:
        unreachable(what, "carryOut");
    }
  }

  #copy(store: UiStore): void {
    const reproduce = store.explorer.reproduce ?? this.#recorded(store.explorer.journey);
    const { shown } = store.explorer.panel(store.state.focus, store.state);
    const where = ["--at", String(store.state.step), ...(shown === null ? [] : ["--show", shown])];
    const command = ["npx", "whitewater", ...reproduce, ...where].map((part) => visible(shellQuoted(part))).join(" ");
    this.#copied.add(command);
    // OSC 52: the terminal's own clipboard, also over SSH.
    this.#terminal.write(`\u001b]52;c;${Buffer.from(command, "utf8").toString("base64")}\u0007`);
    store.dispatch({ type: "say", text: `copied (and printed at the end): ${command}`, tone: "good" });
  }

  /** A branch has no name that makes it again, but a record of it does. */
  #recorded(journey: Journey): readonly string[] {
    const reproduction = reproductionOf(journey, this.#origin);
    if (reproduction.kind === "none") throw new UsageError("copy", "no command makes this branch again", reproduction.reason);
    const path = join(RECORDS, reproduction.fileName);
    writeFileAtomically(resolve(this.#cwd, path), [`${JSON.stringify(reproduction.record, null, 2)}\n`], WRITABLE);
    return ["replay", path];
  }

  #export(store: UiStore): void {
    const document = shownNow(store);
    const { scenario, digest } = document.journey.tape.result;
    const name = [scenario, digest.slice(0, 8), String(document.step), document.shown].join("-").replace(/[^A-Za-z0-9._-]+/g, "_");
    for (const [suffix, text] of [["txt", viewText(document)], ["json", viewJson(document)]] as const) {
      writeFileAtomically(resolve(this.#cwd, VIEWS, `${name}.${suffix}`), [text], WRITABLE);
    }
    store.dispatch({ type: "say", text: `written: ${join(VIEWS, name)}.txt and .json`, tone: "good" });
  }
}

/** What is in the panel that has the keys, as `replay --show` shows it; as it stands there, where that knows it not. */
function shownNow({ state, explorer }: UiStore): ShownView {
  const { journey, stale } = explorer;
  const panel = explorer.panel(state.focus, state);
  const { step } = state;
  if (panel.shown !== null) return { journey, step, shown: panel.shown, stale, view: show(panel.shown, journey, step) };
  const view = { facts: null, lines: panel.lines(0, Math.min(panel.length, EXPORTED_LINES)) };
  return { journey, step, shown: state.focus, stale, view };
}
