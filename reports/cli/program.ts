import { Command, CommanderError } from "commander";
import { CHECKPOINT_MODES, FAILOVER_SCOPES, RESTORE_STRATEGIES } from "../../engine/graph/job-modes.ts";
import { STATE_BACKENDS } from "../../engine/state/state-backend.ts";
import { UsageError } from "../files/usage-error.ts";
import { visible } from "../text/visible.ts";
import type { RawCostOptions } from "./cost-command.ts";
import { EXIT, EXIT_CODE_HELP, type ExitCode } from "./exit-codes.ts";
import type { Host } from "./host.ts";
import type { RawReplayOptions } from "./replay-options.ts";
import type { RawRunOptions } from "./run-options.ts";
import { SHOWN } from "./shown.ts";
import type { RawUiOptions } from "./ui-command.ts";
import { toolVersion } from "./version.ts";

/** Runs one command line to its end and gives the exit code. Never throws. */
export async function runCommandLine(args: readonly string[], host: Host): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = buildProgram(host, (code) => (exitCode = code));
  try {
    if (args.length === 0) {
      host.stderr.write(`${program.helpInformation()}${EXIT_CODE_HELP}`);
      return EXIT.usage;
    }
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    return reportError(error, host);
  }
}

function buildProgram(host: Host, onExit: (code: ExitCode) => void): Command {
  const program = new Command("whitewater");
  program
    .description("Deterministic simulator and test harness for stateful stream processing")
    .version(toolVersion(), "-V, --version")
    .addHelpText("after", EXIT_CODE_HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: () => undefined,
    });
  addRun(program, host, onExit);
  addReplay(program, host, onExit);
  addUi(program, host, onExit);
  addCost(program, host, onExit);
  program
    .command("list")
    .description("the scenarios that come with whitewater")
    .option("--json", "as JSON")
    .addHelpText("after", EXIT_CODE_HELP)
    .action(async (options: { json?: boolean }) => {
      const { listCommand } = await import("./list-command.ts");
      onExit(await listCommand(options.json === true, host));
    });
  return program;
}

function addRun(program: Command, host: Host, onExit: (code: ExitCode) => void): void {
  program
    .command("run")
    .description("run scenarios over many seeds and report what does not hold")
    .argument("[scenario...]", "names (see list), or files with a scenario of your own; default: all")
    .option("--seeds <range>", "seeds to run: 7, 1-5000, 0x1f-0x2f (default: 200 derived from the git commit)")
    .option("--seed <seed>", "one seed: decimal, 0x…, or a 40-digit commit hash")
    .option("--time <duration>", "stop after this long: 90s, 10m, 1h")
    .option("--jobs <n>", "worker threads (default: one a core)")
    .option("--bail <n>", "stop after n failing runs")
    .option("--self-check <share>", "share of the seeds that are repeated twice to prove determinism", "5%")
    .option("--restore-every <share>", "share of the seeds of which each checkpoint is restored in a fresh cluster and must lead to the same end", "1%")
    .option("--max-steps <n>", "steps after which a run counts as stuck")
    .option("--max-runs <n>", "crash-everywhere: crashes that are tried, evenly spread where there are more (default: 12000)")
    .option("--pairs <n>", "crash-everywhere: runs with a second crash during the recovery (default: 400)")
    .option("--profile <profile>", "what goes wrong: swarm, calm, network, disk; matrix: every combination, each seed in each; crash-everywhere: one seed, a crash after every event", "swarm")
    .option("--parallelism <n>", "fixes the parallelism; 4to2: and what it changes to while the job runs")
    .option("--backend <backend>", `fixes the state backend: ${STATE_BACKENDS.join(", ")}`)
    .option("--mode <mode>", `fixes the checkpoint mode: ${CHECKPOINT_MODES.join(", ")}`)
    .option("--restore <strategy>", `fixes the restore strategy: ${RESTORE_STRATEGIES.join(", ")}`)
    .option("--failover <scope>", `fixes what fails over: ${FAILOVER_SCOPES.join(", ")}`)
    .option("--input <file>", "input of your own, for the scenarios that take one")
    .option("--out <dir>", "directory of the records of failing runs", ".whitewater")
    .option("--reporter <name[=file]>", "default or json, to a file or standard output; repeatable", collect, [])
    .option("--no-color", "no colours (also: NO_COLOR)")
    .addHelpText("after", EXIT_CODE_HELP)
    .action(async (names: string[], options: RawRunOptions) => {
      const { runCommand } = await import("./run-command.ts");
      onExit(await runCommand(names, options, host));
    });
}

function addReplay(program: Command, host: Host, onExit: (code: ExitCode) => void): void {
  program
    .command("replay")
    .description("make one run happen again")
    .argument("<record|token>", "a record file, a token (ww1:…), or scenario@seed")
    .option("--profile <profile>", "the profile the token's run had", "swarm")
    .option("--max-steps <n>", "steps after which the run counts as stuck")
    .option("--input <file>", "the input the run had")
    .option("--at <place>", "stop there and look: a step (612), a time (1.7s), ckpt:4, violation, start, end")
    .option("--show <what>", `what to look at: ${SHOWN}`)
    .option("--json", "the run, or what is shown of it, as JSON")
    .option("--no-color", "no colours (also: NO_COLOR)")
    .addHelpText("after", EXIT_CODE_HELP)
    .action(async (target: string, options: RawReplayOptions) => {
      const { replayCommand } = await import("./replay-command.ts");
      onExit(await replayCommand(target, options, host));
    });
}

function addUi(program: Command, host: Host, onExit: (code: ExitCode) => void): void {
  program
    .command("ui")
    .description("see a run on the screen, forwards and backwards")
    .argument("[record|token]", "a record file, a token (ww1:…), scenario@seed, or a directory of records; default: choose one")
    .option("--tour", "a guided tour, in eight steps, through a small run that comes along")
    .option("--at <place>", "where to begin: a step (612), a time (1.7s), ckpt:4, violation, start, end")
    .option("--profile <profile>", "the profile the token's run had", "swarm")
    .option("--max-steps <n>", "steps after which the run counts as stuck")
    .option("--input <file>", "the input the run had")
    .option("--ascii", "no characters beyond ASCII for frames and marks (also where the locale has none)")
    .option("--no-color", "no colours (also: NO_COLOR)")
    .addHelpText("after", EXIT_CODE_HELP)
    .action(async (target: string | undefined, options: RawUiOptions) => {
      const { uiCommand } = await import("./ui-command.ts");
      onExit(await uiCommand(target, options, host));
    });
}

function addCost(program: Command, host: Host, onExit: (code: ExitCode) => void): void {
  program
    .command("cost")
    .description("what checkpoints and restores of a job cost, by state backend and restore strategy")
    .argument("[scenario]", "a name (see list), or a file with a scenario of your own", "flights")
    .option("--input <file>", "input of your own, for the scenarios that take one")
    .option("--json", "as JSON")
    .option("--no-color", "no colours (also: NO_COLOR)")
    .addHelpText("after", EXIT_CODE_HELP)
    .action(async (name: string, options: RawCostOptions) => {
      const { costCommand } = await import("./cost-command.ts");
      onExit(await costCommand(name, options, host));
    });
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own.split("\n", 1)[0]}\ncaused by: ${stackOf(error.cause)}`;
}

/** One line for what the user can correct; the stack for what only we can. */
function reportError(error: unknown, host: Host): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    const reason = error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
    host.stderr.write(`whitewater: ${visible(reason)}; see whitewater --help\n`);
    return EXIT.usage;
  }
  if (error instanceof UsageError || (error instanceof Error && error.name === "InputError")) {
    host.stderr.write(`whitewater: ${visible(error.message)}\n`);
    return EXIT.usage;
  }
  const stack = stackOf(error);
  host.stderr.write(
    `whitewater: internal error, please report it with the command line and these lines ` +
      `(version ${toolVersion()}, node ${process.version}):\n${stack.split("\n").map(visible).join("\n")}\n`,
  );
  return EXIT.internal;
}
