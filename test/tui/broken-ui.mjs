// The terminal UI over a run that breaks: argument "view" throws while drawing step 5, "timer" while nothing is drawn.
import { findJourney } from "../../dist/reports/travel/journey.js";
import { Explorer } from "../../dist/reports/tui/explorer.js";
import { openUi } from "../../dist/reports/tui/open-ui.js";
import { Terminal } from "../../dist/reports/tui/terminal.js";
import { wordCount } from "../../dist/scenarios/word-count.js";

const [how] = process.argv.slice(2);
const request = { seed: "2", profile: "calm", fixed: { backend: "heap" }, plan: null, oracles: true, checked: false, maxSteps: 1_000_000 };
const journey = findJourney(wordCount, { sqlite: null }, [request], null);

class BrokenExplorer extends Explorer {
  timeline(state) {
    if (state.step === 5 && how === "view") throw new Error("broken view");
    if (state.step === 5) setTimeout(() => { throw new Error("broken timer"); }, 10);
    return super.timeline(state);
  }
}

const explorer = new BrokenExplorer({ journey, stale: null, branch: null, reproduce: null });
try {
  await openUi(new Terminal(process), { colour: true, unicode: true }, { explorer, step: 4 }, () => undefined);
} catch (error) {
  process.stderr.write(`failed with ${error.message}\n`);
  process.exitCode = 70;
} finally {
  journey.machine.release();
}
