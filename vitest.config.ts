import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Tests import the compiled output, as it is shipped: vitest must leave it alone. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/**/*.test.ts", "test/**/*.test.tsx"],
    pool: "threads",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    server: { deps: { external: [/\/dist\//] } },
  },
});
export default config;
