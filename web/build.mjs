// Builds the playground into dist/: the third-party files pinned by
// package-lock.json and our own page/ files, each gzipped under a name that
// holds the hash of its content, and manifest.json, which maps the plain names
// to those. Needs nothing but Node and an installed node_modules.
//
// Only the gzip form is written: the Go program embeds dist/ whole, and unpacks
// in the rare case that a client does not take gzip.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { guide } from "./guide.mjs";

const root = dirname(fileURLToPath(import.meta.url));
const modules = join(root, "node_modules");
const dist = join(root, "dist");

// The plain name of each asset and where it comes from.
const sources = {
  "react.js": join(modules, "react/umd/react.production.min.js"),
  "react-dom.js": join(modules, "react-dom/umd/react-dom.production.min.js"),
  "graphiql.js": join(modules, "graphiql/graphiql.min.js"),
  "graphiql.css": join(modules, "graphiql/graphiql.min.css"),
  "playground.js": join(root, "page/playground.js"),
  "playground.css": join(root, "page/playground.css"),
  "favicon.svg": join(root, "page/favicon.svg"),
};

// A source map comment makes browsers ask for a file that is not there.
const withoutSourceMap = (text) => text.replace(/^\/[/*]# sourceMappingURL=.*$/gm, "");

function hashedName(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
  const dot = name.lastIndexOf(".");
  return `${name.slice(0, dot)}-${hash}${name.slice(dot)}`;
}

async function emit(name, text) {
  const hashed = hashedName(name, text);
  await writeFile(join(dist, hashed + ".gz"), gzipSync(text, { level: 9 }));
  return hashed;
}

// The folders of all installed packages, scoped ones included.
async function packages(folder) {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    found.push(...(entry.name.startsWith("@") ? await packages(path) : [path]));
  }
  return found.sort();
}

// The licences of what is bundled ask that their text goes along with it.
async function licences() {
  const texts = [];
  for (const folder of await packages(modules)) {
    const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name));
    if (!file) continue;
    const { name, version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    texts.push(`${name} ${version}\n\n${await readFile(join(folder, file), "utf8")}`);
  }
  return texts.join(`\n${"-".repeat(72)}\n\n`);
}

async function clean() {
  await mkdir(dist, { recursive: true });
  for (const name of await readdir(dist)) {
    if (name !== ".keep") await rm(join(dist, name), { recursive: true });
  }
}

await clean();
const manifest = {};
for (const [name, path] of Object.entries(sources)) {
  manifest[name] = await emit(name, withoutSourceMap(await readFile(path, "utf8")));
}
const page = (name) => readFile(join(root, "../docs", name), "utf8");
manifest["guide.html"] = await emit("guide.html", guide(await page("guide.md"), await page("errors.md")));
manifest["licences.txt"] = await emit("licences.txt", await licences());
await writeFile(join(dist, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
console.log(`web: ${Object.keys(manifest).length} files in web/dist`);
