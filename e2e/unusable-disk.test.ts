import { execFile } from "node:child_process";
import {
  chownSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asRoot } from "./harness/as-root.ts";
import { programFile } from "./harness/programs.ts";

/** Programs on a disk that is full, cannot be written or is somebody else's. */

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dstack-disk-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Name = "directory" | "watson" | "sherlock";
/** A bound for what hangs. */
const RUN_MS_MAX = 120_000;

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end; `mount` are options of a file system that nobody but it sees at `disk`. */
function run(name: Name, args: readonly string[], mount: string | null = null): Promise<Ended> {
  const disk = join(folder, "disk");
  mkdirSync(disk, { recursive: true, mode: 0o700 });
  const script = 'mount -t tmpfs -o "$1" none "$2"; shift 2; exec "$@"';
  const own = [process.execPath, programFile(name), ...args];
  return execute(mount === null ? own : asRoot(["unshare", "--mount", "sh", "-ec", script, "sh", mount, disk, ...own]));
}

function execute([file = "", ...args]: readonly string[]): Promise<Ended> {
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_STATE_HOME: join(folder, "state") };
  return new Promise((resolve) => {
    execFile(file, args, { env, timeout: RUN_MS_MAX }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, output: `${stdout}${stderr}` });
    });
  });
}

const onDisk = (name: string): string => join(folder, "disk", name);
const SHERLOCK = ["-d", "//localhost:1/directory", "--admin", "off", "--log-format", "json"];
const DIRECTORY = ["-n", "localhost", "-p", "0", "--log-format", "json"];

test.each([
  ["full", "size=4k,mode=700", /no space left on the device; free some \(`df -h /],
  ["read-only", "ro,mode=700", /the file system is read-only; name another folder/],
])("a disk that is %s is told with the path and what helps", async (_, mount, why) => {
  const sherlock = await run("sherlock", [...SHERLOCK, "--run-dir", onDisk("run"), "--data-dir", folder], mount);
  expect(sherlock).toMatchObject({ code: 1, output: expect.stringMatching(why) as string });
  expect(sherlock.output).toContain(onDisk("run"));
  const directory = await run("directory", [...DIRECTORY, "--data-dir", onDisk("data")], mount);
  expect(directory).toMatchObject({ code: 1, output: expect.stringMatching(why) as string });
  expect(directory.output).toContain(onDisk("data"));
  for (const { output } of [sherlock, directory])
    expect(output).not.toMatch(/ENOSPC|EROFS|unable to open|database or disk/);
});

/** Kills a directory, fills its disk, and starts it again; then tells what it has logged, and ends it. */
const KILLED_ON_FULL_DISK = `
disk=$1; log=$2; shift 2
mount -t tmpfs -o size=3m,mode=700 none "$disk"
begin() {
  "$@" >"$log" 2>&1 &
  pid=$!
  until grep -q "Directory is ready" "$log"; do
    kill -0 $pid || { cat "$log"; exit 1; }
    sleep 0.05
  done
}
begin "$@"
kill -9 $pid
test -e "$disk/data/directory.db-wal"
dd if=/dev/zero of="$disk/fill" bs=4k || true
begin "$@"
cat "$log"
kill $pid
wait $pid`;

test("a directory that was killed on a full disk starts, and serves what it has", async () => {
  const disk = join(folder, "disk");
  mkdirSync(disk, { mode: 0o700 });
  const own = [process.execPath, programFile("directory"), ...DIRECTORY, "--data-dir", onDisk("data")];
  const script = ["sh", "-ec", KILLED_ON_FULL_DISK, "sh", disk, join(folder, "log"), ...own];
  const ended = await execute(asRoot(["unshare", "--mount", ...script]));
  expect(ended).toMatchObject({ code: 0, output: expect.stringContaining("Directory is ready") as string });
});

test("a folder that others can write is refused by every program, and nothing is written there", async () => {
  const open = join(folder, "open");
  mkdirSync(open);
  chmodSync(open, 0o777);
  const refused = {
    code: 78,
    output: expect.stringContaining(`Cannot use the folder ${open}: others can write it`) as string,
  };
  expect(await run("sherlock", [...SHERLOCK, "--run-dir", open])).toMatchObject(refused);
  expect(await run("watson", ["-d", "//localhost:1/directory", "--data-dir", open])).toMatchObject(refused);
  expect(await run("directory", [...DIRECTORY, "--data-dir", open])).toMatchObject(refused);
  expect(await run("directory", ["init", "--data-dir", open])).toMatchObject(refused);
  expect(() => lstatSync(join(open, "admin.token"))).toThrow("ENOENT");
});

test.runIf(process.getuid?.() === 0)(
  "a folder of another user is refused, and its links are not followed",
  async () => {
    const theirs = join(folder, "theirs");
    const target = join(folder, "target");
    mkdirSync(theirs, { mode: 0o700 });
    writeFileSync(target, "theirs\n");
    symlinkSync(target, join(theirs, "haproxy.err"));
    chownSync(theirs, 65_534, 65_534);
    const refused = {
      code: 78,
      output: expect.stringContaining(`${theirs}: it belongs to user 65534, wanted root`) as string,
    };
    expect(await run("sherlock", [...SHERLOCK, "--run-dir", theirs])).toMatchObject(refused);
    expect(await run("directory", ["init", "--data-dir", theirs])).toMatchObject(refused);
    expect(readFileSync(target, "utf8")).toBe("theirs\n");
  },
);
