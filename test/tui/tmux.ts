import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/reports/cli/main.js", import.meta.url));
/** The machine may be busy: a run is made before the first screen. */
const PATIENCE_MS = 40_000;
const LOOK_AGAIN_MS = 40;

/** Whether there is a tmux to drive the program in. */
export const hasTmux: boolean = spawnSync("tmux", ["-V"], { stdio: "ignore" }).status === 0;

export interface Started {
  readonly columns: number;
  readonly rows: number;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A shell in a real terminal, of a tmux server of its own. Whoever starts one calls `end`. */
export class TmuxTerminal {
  readonly #socket: string;

  constructor({ columns, rows, cwd, env = {} }: Started) {
    this.#socket = `whitewater-test-${process.pid}-${Math.floor(performance.now() * 1000)}`;
    const variables = { LANG: "C.UTF-8", PS1: "$ ", ...env };
    const assigned = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    // `sh` reads no file of the user's that would change what it prints.
    const shell = ["env", "-u", "LC_ALL", "-u", "NO_COLOR", "-u", "ENV", ...assigned, "sh"];
    this.#tmux(["-f", "/dev/null", "new-session", "-d", "-x", String(columns), "-y", String(rows), "-c", cwd, shell.join(" ").replace("PS1=$ ", "'PS1=$ '")]);
    this.#tmux(["set-option", "-g", "escape-time", "0"]);
  }

  /** Starts `whitewater ui …`; its exit code is printed when it ends. */
  ui(...args: readonly string[]): void {
    const command = [process.execPath, MAIN, "ui", ...args].map((arg) => `'${arg}'`).join(" ");
    this.type(`clear; ${command}; echo ended with $?`);
    this.keys("Enter");
  }

  /** Runs another file with Node, in the same way. */
  node(file: string, ...args: readonly string[]): void {
    this.type(`clear; ${[process.execPath, file, ...args].map((arg) => `'${arg}'`).join(" ")}; echo ended with $?`);
    this.keys("Enter");
  }

  /** The same, as the process whose id is in the file "pid". */
  uiWithPid(...args: readonly string[]): void {
    const command = [process.execPath, MAIN, "ui", ...args].map((arg) => `'${arg}'`).join(" ");
    this.type(`clear; sh -c 'echo $$ >pid; exec "$@"' - ${command}; echo ended with $?`);
    this.keys("Enter");
  }

  /** Writes every byte that the terminal gets from now on to a file of its directory. */
  recordTo(file: string): void {
    this.#tmux(["pipe-pane", "-o", `cat >'${file}'`]);
  }

  get title(): string {
    return this.#tmux(["display-message", "-p", "#{pane_title}"]).trim();
  }

  /** By tmux's names: "Right", "C-c", "Enter". */
  keys(...names: readonly string[]): void {
    this.#tmux(["send-keys", ...names]);
  }

  /** Characters, all at once. */
  type(text: string): void {
    this.#tmux(["send-keys", "-l", text]);
  }

  resize(columns: number, rows: number): void {
    this.#tmux(["resize-window", "-x", String(columns), "-y", String(rows)]);
  }

  /** What is to be seen, line by line. */
  screen(): readonly string[] {
    return this.#tmux(["capture-pane", "-p"]).replace(/\n$/, "").split("\n");
  }

  /** The same with the escape sequences that colour it. */
  paintedScreen(): string {
    return this.#tmux(["capture-pane", "-p", "-e"]);
  }

  /** What tmux knows of the terminal's state. */
  get isAlternate(): boolean {
    return this.#flag("alternate_on");
  }

  get hasCursor(): boolean {
    return this.#flag("cursor_flag");
  }

  /** Waits until the screen is as wanted; throws with the last one. */
  async until(what: string, isWanted: (screen: readonly string[]) => boolean): Promise<readonly string[]> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const screen = this.screen();
      if (isWanted(screen)) return screen;
      if (performance.now() > deadline) throw new Error(`never came: ${what}. The last screen:\n${screen.join("\n")}`);
      await sleep(LOOK_AGAIN_MS);
    }
  }

  /** Until a line matches. */
  async untilLine(pattern: RegExp): Promise<readonly string[]> {
    return this.until(String(pattern), (screen) => screen.some((line) => pattern.test(line)));
  }

  end(): void {
    spawnSync("tmux", ["-L", this.#socket, "kill-server"], { stdio: "ignore" });
  }

  #flag(name: string): boolean {
    return this.#tmux(["display-message", "-p", `#{${name}}`]).trim() === "1";
  }

  #tmux(args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync("tmux", ["-L", this.#socket, ...args], { encoding: "utf8" });
    if (status !== 0) throw new Error(`tmux ${args[0]}: ${stderr}`);
    return stdout;
  }
}
