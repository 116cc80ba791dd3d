import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPackages } from "../packaging/build-packages.ts";
import { LIB } from "../scripts/build-programs.ts";
import { onlyReads } from "./harness/docs/only-reads.ts";
import { matches } from "./harness/docs/match.ts";
import { type CommandItem, readPage } from "./harness/docs/page.ts";
import { type RanCommand, describeFailure, updatePage } from "./harness/docs/results.ts";
import { Shell } from "./harness/docs/shell.ts";
import { Machine } from "./harness/machine.ts";
import { connect } from "./harness/network.ts";
import { eventually } from "./harness/wait.ts";

/**
 * A reader of docs/getting-started.md: three machines with a systemd each, connected with each other alone, and every
 * block of the page pasted into the machine that the page names. Needs root or sudo, as `harness/machine.ts` says.
 */
const PAGE = join(import.meta.dirname, "../docs/getting-started.md");
const SECURITY = join(import.meta.dirname, "../docs/security.md");
const HOSTS = ["vm101", "vm102", "vm103"] as const;
const SUBNET = "10.77.0";
const update = process.env["UPDATE_DOCS"] === "1";
const EVERYWHERE = "every machine";

const machines = new Map<string, Machine>();
const shells = new Map<string, Shell>();

beforeAll(async () => {
  const booted = await Promise.all(HOSTS.map(() => Machine.boot()));
  HOSTS.forEach((host, i) => machines.set(host, booted[i] as Machine));
  await connect(booted as [Machine, ...Machine[]], SUBNET);
  const { exchange } = booted[0] as Machine;
  const { missing } = await buildPackages({
    out: exchange,
    formats: ["deb"],
    versions: ["1.0.0"],
    zstdLevel: 1,
    bundled: LIB,
  });
  if (missing.length > 0) throw new Error(`Cannot build the packages: ${missing.join("; ")}`);
  for (const [host, machine] of machines) {
    if (machine.exchange !== exchange) cpSync(exchange, machine.exchange, { recursive: true });
    await machine.shell(`hostname ${host} && ln -s /mnt/exchange/*.deb /root/`);
    const bash = machine.entering(["bash", "--noprofile", "--norc"]);
    const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8", HOME: "/root" };
    shells.set(host, new Shell(machine.exchange, bash, { env, inside: "/mnt/exchange" }));
  }
});

afterAll(async () => {
  await Promise.all([...shells.values()].map((shell) => shell.end()));
  await Promise.all([...machines.values()].map((machine) => machine.dispose()));
});

test("docs/getting-started.md leads from packages to a counted canary", async () => {
  const markdown = readFileSync(PAGE, "utf8");
  const results: RanCommand[] = [];
  for (const item of readPage(markdown).items) {
    if (item.kind !== "command") throw new Error(`line ${item.line}: wanted commands alone on this page`);
    results.push(await runOn(item));
    if (!update && results.at(-1)?.ok === false) break;
  }
  if (update) return writeFileSync(PAGE, updatePage(markdown, results));
  expect(describeFailure("docs/getting-started.md", results)).toBeNull();
});

test("docs/security.md: the authority's certificate is all that another client needs", async () => {
  const { items } = readPage(readFileSync(SECURITY, "utf8"));
  const skipped = items.flatMap((item) => (item.kind === "skipped" ? item.commands : []));
  const command = skipped.find((line) => line.startsWith("curl --cacert"))?.replace("services.example.com", "vm101");
  const token = "TOKEN=$(cat /var/lib/datawire/directory/operator.token)";
  expect(await shells.get("vm101")?.run(`${token}; ${command}`)).toContain('"routes":[]');
});

async function runOn(item: CommandItem): Promise<RanCommand> {
  const hosts = item.host === EVERYWHERE ? HOSTS : [item.host ?? "none"];
  const printed = await Promise.all(hosts.map((host) => runAt(host, item)));
  return {
    item,
    printed: printed[0] as string,
    ok: item.output === null || matches(item.output, printed[0] as string),
  };
}

async function runAt(host: string, { command, output }: CommandItem): Promise<string> {
  const shell = shells.get(host);
  if (shell === undefined) throw new Error(`The page names the machine ${host}; wanted one of ${HOSTS.join(", ")}`);
  const copy = /^scp (\w+):(\S+) (\S+)$/.exec(command);
  if (copy !== null) return copyFile(copy as unknown as Copy, host);
  let printed = await shell.run(command);
  if (output !== null && onlyReads(command)) {
    await eventually(async () => {
      if (matches(output, printed)) return;
      printed = await shell.run(command);
      throw new Error("it prints something else");
    }).catch(() => {}); // what it printed last says more than this error
  }
  return printed;
}

type Copy = readonly [command: string, from: string, path: string, to: string];

/** The machines have no ssh with each other. */
async function copyFile([, from, path, to]: Copy, host: string): Promise<string> {
  const content = await machines.get(from)?.must("cat", path);
  await machines.get(host)?.must("sh", "-c", 'printf "%s\\n" "$1" >"$2"', "sh", content ?? "", to);
  return "";
}
