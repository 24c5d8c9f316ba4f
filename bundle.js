// What users load is one file, since a start costs by the module: docs/decisions/016. What only `sweep`, `check` and the command
// need stays apart from it. Each module of src keeps a file of its own name beside it, which gives what the bundle has: so a
// test of one module and a test of the package are about the same code and the same classes.
import { readdirSync, rmSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { build } from "rolldown";

const src = join(import.meta.dirname, "src");
const dist = join(import.meta.dirname, "dist/src");
const modules = readdirSync(src, { recursive: true }).filter((file) => file.endsWith(".ts"));
/** What is known of {@link isLoadedAtStart} already. */
const known = new Map([[join(src, "index.ts"), true]]);

// All of it is published, so nothing of an earlier build may stay.
rmSync(join(dist, "bundle"), { recursive: true, force: true });
await build({
  input: Object.fromEntries(modules.map((file) => [file.slice(0, -".ts".length), join(src, file)])),
  external: (id) => !id.startsWith(".") && !isAbsolute(id),
  platform: "node",
  tsconfig: join(src, "tsconfig.json"),
  preserveEntrySignatures: "strict",
  checks: { circularDependency: true },
  onLog(_level, { message }) {
    throw new Error(message);
  },
  output: {
    dir: dist,
    chunkFileNames: "bundle/[name].js",
    codeSplitting: {
      groups: [{ debugName: "index", name: (id, graph) => (isLoadedAtStart(id, graph) ? "index" : null) }],
    },
    minifyInternalExports: false,
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
});

/** Whether the package's first module imports it, by way of others or not; an `import()` does not count. */
function isLoadedAtStart(id, graph) {
  const found = known.get(id) ?? graph.getModuleInfo(id).importers.some((importer) => isLoadedAtStart(importer, graph));
  known.set(id, found);
  return found;
}
