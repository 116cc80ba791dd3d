import { chmod, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, formatProblem, noLog, ProblemBoard, systemClock } from "@datawire/runtime";
import { eventually } from "@datawire/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ServiceFile } from "../model/definition-set.ts";
import { testDefinition } from "../testing/instances.ts";
import { SETTLE_MS, WHOLE_MS } from "./file-tracker.ts";
import { type ParseServices, readAllFiles, ServiceFiles } from "./service-files.ts";

let folder = "";
let files: ServiceFiles | null = null;
/** How long was waited before each look. */
const waitsMs: number[] = [];
const clock: Clock = {
  ...systemClock,
  setTimer(ms, callback) {
    waitsMs.push(ms);
    return systemClock.setTimer(ms, callback);
  },
};
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "watson-files-"))));
afterEach(async () => {
  await files?.stop();
  await rm(folder, { recursive: true });
});

/** A service file for these tests is the name of an instance; "bad" is a broken one. */
const parse: ParseServices = (text, file) => {
  const source = { file, line: 1, column: 1 };
  if (text.trim() === "bad" || text === "") return { ok: false, problems: [{ ...source, message: "broken" }] };
  return { ok: true, instances: [testDefinition({ name: text.trim(), source })] };
};

/** Follows the folder, and gives what is known of it: file names with the instances, `!` for a problem. */
async function follow(...sources: string[]): Promise<() => string> {
  let known: readonly ServiceFile[] = [];
  const onChange = (all: readonly ServiceFile[]): void => void (known = all);
  files = new ServiceFiles({ sources, parse }, { clock, log: noLog, board: new ProblemBoard(), onChange });
  await files.start();
  return () => describe(known);
}

function describe(all: readonly ServiceFile[]): string {
  const lines = all.map(({ file, instances, problems }) => {
    const name = file === folder ? "." : file.slice(folder.length + 1);
    return `${name}=${instances.map((one) => one.name).join("+")}${problems.length > 0 ? "!" : ""}`;
  });
  return lines.toSorted().join(" ");
}

const put = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
const until = (known: () => string, expected: string): Promise<void> =>
  eventually(() => expect(known()).toBe(expected));

test("readAllFiles() reads the yaml files of a folder, globs and files, and none that is hidden", async () => {
  await Promise.all([
    put("a.yaml", "a"),
    put("b.yml", "b"),
    put(".c.yaml", "c"),
    put("d.yaml~", "d"),
    put("e.bak", "e"),
    put("F.JSON", "f"),
  ]);
  expect(describe(await readAllFiles({ sources: [folder], parse }))).toBe("F.JSON=f a.yaml=a b.yml=b");
  expect(describe(await readAllFiles({ sources: [join(folder, "*.bak"), join(folder, "a.yaml")], parse }))).toBe(
    "a.yaml=a e.bak=e",
  );
});

test("readAllFiles() reports what cannot be read", async () => {
  await Promise.all([
    writeFile(join(folder, "a.yaml"), Buffer.from([0xff, 0xfe])),
    symlink("nowhere", join(folder, "b.yaml")),
  ]);
  const all = await readAllFiles({ sources: [folder, join(folder, "none")], parse });
  expect(all.flatMap(({ problems }) => problems.map(formatProblem))).toEqual([
    `${folder}/a.yaml:1:1: Cannot read the file: it is not text in UTF-8 (the byte 0xff here)`,
    `${folder}/b.yaml:1:1: Cannot read the file: it is a link to nowhere, which is not there`,
    `${folder}/none:1:1: Cannot read the folder: no such file or folder`,
  ]);
});

test("readAllFiles() tells what it leaves out, and a pattern that nothing fits", async () => {
  await Promise.all([
    put("web.conf", "w"),
    put("web.yaml.bak", "w"),
    mkdir(join(folder, "team")),
    // What a container gets whose file to mount is not there.
    mkdir(join(folder, "api.yaml")),
    put("README.md", ""),
  ]);
  const all = await readAllFiles({ sources: [folder, join(folder, "*.yml")], parse });
  const within = "service files are not looked for in folders within; name it in `services` of watson.yaml";
  expect(all.flatMap(({ problems }) => problems.map(formatProblem)).toSorted()).toEqual([
    `${folder}/*.yml:1:1: Cannot find a service file: nothing fits the pattern`,
    `${folder}/api.yaml:1:1: Cannot use the folder: ${within}`,
    `${folder}/team:1:1: Cannot use the folder: ${within}`,
    `${folder}/web.conf:1:1: Cannot use the file: its name ends with neither .yaml nor .yml nor .json; rename it, or put .disabled behind its name`,
  ]);
});

test("ServiceFiles tells of a file that it leaves out once it stays, and that it went", async () => {
  await put("a.yaml", "a");
  const known = await follow(folder);
  await put("web.conf", "w");
  await until(known, "a.yaml=a web.conf=!");
  await unlink(join(folder, "web.conf"));
  await until(known, "a.yaml=a");
});

test("ServiceFiles keeps reading the others when it fails at one, which keeps its last good version", async () => {
  const broken = { is: false };
  const failing: ParseServices = (text, file, untrusted) => {
    if (broken.is && file.endsWith("/a.yaml")) throw new TypeError("text.trim is not a function");
    return parse(text, file, untrusted);
  };
  await Promise.all([put("a.yaml", "a"), put("b.yaml", "b")]);
  let known: readonly ServiceFile[] = [];
  const onChange = (all: readonly ServiceFile[]): void => void (known = all);
  const board = new ProblemBoard();
  files = new ServiceFiles({ sources: [folder], parse: failing }, { clock: systemClock, log: noLog, board, onChange });
  await files.start();
  broken.is = true;
  await Promise.all([put("a.yaml", "a2"), put("b.yaml", "b2")]);
  await until(() => describe(known), "a.yaml=a! b.yaml=b2");
  expect(known.flatMap(({ problems }) => problems.map(formatProblem))).toEqual([
    `${folder}/a.yaml:1:1: Cannot read the file, which is a fault of Watson: text.trim is not a function`,
  ]);
});

test("ServiceFiles follows files that are added, edited, renamed and removed", async () => {
  await put("a.yaml", "a");
  const known = await follow(folder);
  expect(known()).toBe("a.yaml=a");
  await put("b.yaml", "b");
  await until(known, "a.yaml=a b.yaml=b");
  await put("b.yaml", "bb");
  await until(known, "a.yaml=a b.yaml=bb");
  await rename(join(folder, "b.yaml"), join(folder, "c.yaml"));
  await until(known, "a.yaml=a c.yaml=bb");
  await unlink(join(folder, "a.yaml"));
  await until(known, "c.yaml=bb");
});

test("ServiceFiles keeps the last good version of a broken file", async () => {
  await Promise.all([put("a.yaml", "a"), put("b.yaml", "b")]);
  const known = await follow(folder);
  await put("a.yaml", "bad");
  await until(known, "a.yaml=a! b.yaml=b");
  await put("a.yaml", "better");
  await until(known, "a.yaml=better b.yaml=b");
});

test("ServiceFiles follows an atomic save, and a link that is switched", async () => {
  await Promise.all([mkdir(join(folder, "v1")), mkdir(join(folder, "v2"))]);
  await Promise.all([put("v1/a.yaml", "one"), put("v2/a.yaml", "two"), put("b.yaml", "b")]);
  await symlink("v1", join(folder, "..data"));
  await symlink("..data/a.yaml", join(folder, "a.yaml"));
  const known = await follow(folder);
  expect(known()).toBe("a.yaml=one b.yaml=b");
  await symlink("v2", join(folder, "..tmp"));
  await rename(join(folder, "..tmp"), join(folder, "..data"));
  await until(known, "a.yaml=two b.yaml=b");
  await put(".b.swp", "saved");
  await rename(join(folder, ".b.swp"), join(folder, "b.yaml"));
  await until(known, "a.yaml=two b.yaml=saved");
});

test("ServiceFiles reads at once what comes whole, and leaves alone what is written under its name", async () => {
  await put(".b.tmp", "b");
  const known = await follow(folder);
  waitsMs.length = 0;
  await rename(join(folder, ".b.tmp"), join(folder, "b.yaml"));
  await until(known, "b.yaml=b");
  expect(waitsMs).toContain(WHOLE_MS);
  expect(waitsMs).not.toContain(SETTLE_MS);
  await put("c.yaml", "c");
  await until(known, "b.yaml=b c.yaml=c");
  expect(waitsMs).toContain(SETTLE_MS);
});

test.each([
  ["at once what says itself where it ends", ' [\n{ "service": "//a" }]', false],
  ["what does not once it was left alone", '[{"service": "//a"', true],
])("ServiceFiles reads, of files that change under their names, %s", async (_what, text, isLeftAlone) => {
  await put("a.yaml", text);
  const readsMs: number[] = [];
  const counting: ParseServices = (read, file, untrusted) => {
    readsMs.push(performance.now());
    return parse(read, file, untrusted);
  };
  const deps = { clock, log: noLog, board: new ProblemBoard(), onChange() {} };
  files = new ServiceFiles({ sources: [folder], parse: counting }, deps);
  await files.start();
  waitsMs.length = 0;
  const changedMs = performance.now();
  // A change that leaves no moment at which the file is empty.
  await chmod(join(folder, "a.yaml"), 0o640);
  await eventually(() => expect(readsMs).toHaveLength(2));
  // Of a wait that another event cuts in two, neither part is the whole.
  if (isLeftAlone) expect(readsMs[1]).toBeGreaterThan(changedMs + SETTLE_MS - 1);
  else expect(waitsMs).not.toContain(SETTLE_MS);
});

test("ServiceFiles loses nothing while its folder is away", async () => {
  const inner = join(folder, "inner");
  await mkdir(inner);
  await put("inner/a.yaml", "a");
  const known = await follow(inner);
  await rename(inner, join(folder, "away"));
  await until(known, "inner/a.yaml=a inner=!");
  await rename(join(folder, "away"), inner);
  await until(known, "inner/a.yaml=a");
  await put("inner/b.yaml", "b");
  await until(known, "inner/a.yaml=a inner/b.yaml=b");
});

test("ServiceFiles tells which folder is away, once that is another one", async () => {
  await mkdir(join(folder, "a"));
  const known = await follow(join(folder, "a"), join(folder, "b"));
  expect(known()).toBe("b=!");
  await rename(join(folder, "a"), join(folder, "b"));
  await until(known, "a=!");
});

test("ServiceFiles says who may have written a file", async () => {
  await put("a.yaml", "a");
  await chmod(join(folder, "a.yaml"), 0o666);
  let said: string | null = null;
  const spy: ParseServices = (text, file, untrusted) => {
    said = untrusted;
    return parse(text, file, untrusted);
  };
  await readAllFiles({ sources: [folder], parse: spy });
  expect(said).toContain("mode 666");
  await chmod(join(folder, "a.yaml"), 0o644);
  await readAllFiles({ sources: [folder], parse: spy });
  expect(said).toBeNull();
});
