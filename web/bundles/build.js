// node build.js INTO: bundles every entry module (*.js) for browsers, draws the outlines of the map, and writes the licences of what is in them.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { writeOutlines } from "./outlines.mjs";

const into = process.argv[2] ?? "../static/bundles";

await build({
  entryPoints: readdirSync(".").filter((name) => name.endsWith(".js") && name !== "build.js"),
  outdir: into,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  legalComments: "none", // they are in LICENSES.txt, whole
  logLevel: "warning",
});
writeOutlines(into);
writeFileSync(join(into, "LICENSES.txt"), licences());

function licences() {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const parts = Object.entries(packages)
    .filter(([folder, entry]) => folder && !entry.dev)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([folder]) => licence(folder));
  return `What the bundles in this folder were made from, and under which licences.\n\n${parts.join("\n")}`;
}

function licence(folder) {
  const { name, version, license, homepage } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((f) => /^(licen[cs]e|copying)(\.\w+|-MIT(\.\w+)?)?$/i.test(f));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : "(The package names its licence and holds no text of it.)";
  const line = "-".repeat(72);
  return `${line}\n${name} ${version}: ${license ?? "no licence named"}${homepage ? `\n${homepage}` : ""}\n${line}\n${text}\n`;
}
