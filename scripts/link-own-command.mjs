// Lets `npx whitewater` find the command inside its own checkout, where npm links only those of dependencies.
import { chmodSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";

const link = fileURLToPath(new URL("../node_modules/.bin/whitewater", import.meta.url));
const command = fileURLToPath(new URL("../dist/reports/cli/main.js", import.meta.url));
if (process.platform !== "win32") {
  mkdirSync(fileURLToPath(new URL("../node_modules/.bin", import.meta.url)), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync("../../dist/reports/cli/main.js", link);
  chmodSync(command, 0o755);
}
