import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { showBookshelf } from "./demo/bookshelf.ts";
import { anyPorts, choosePorts, Machine, type Ports } from "./demo/machine.ts";
import { showMessaging } from "./demo/messaging.ts";
import { check, command, dw as runDw, print, say, until as waitUntil } from "./demo/screen.ts";
import { callMany } from "./monolith.ts";

/**
 * The main job on one machine, with real processes: a monolith reaches services at localhost, one of them dies under
 * load, and a new version gets a tenth of the requests. With `rollout`: a version that fails is taken back by itself, and
 * one that does not becomes the primary. With `messaging`: messages through a router that is killed. With `bookshelf`: an
 * application on all of it. Ends with 1 when anything that it shows did not hold, and with 64 for any other word.
 */
const CONNECTIONS = 8;

const machine = new Machine();
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => interrupted.abort());
// Who reads no further (`| head`) has what was started end too.
process.stdout.on("error", () => interrupted.abort());

const SHOWS = ["main", "rollout", "messaging", "bookshelf"] as const;
const asked = process.argv[2] ?? "main";
const show = SHOWS.find((one) => one === asked);

try {
  if (show === undefined) await refuse(asked);
  else if (show === "messaging") await showMessaging(machine, interrupted.signal);
  else if (show === "bookshelf") await showBookshelf(machine, interrupted.signal);
  else await showRouting(show);
} catch (error) {
  if (!interrupted.signal.aborted) {
    process.stderr.write(`\nThe demo failed: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
} finally {
  await machine.stop();
}

async function refuse(word: string): Promise<void> {
  process.stderr.write(`Cannot show ${JSON.stringify(word)}: wanted nothing, or one of ${SHOWS.slice(1).join(", ")}\n`);
  process.exitCode = 64;
}

async function showRouting(what: "main" | "rollout"): Promise<void> {
  const { ports, usual } = await choosePorts();
  machine.env["DATAWIRE_DIRECTORY"] = `//localhost:${ports.directory}/directory`;
  await startEverything(ports, usual);
  if (what === "rollout") await showRollouts(ports);
  else {
    await showServices(ports);
    await showDeath(ports);
    await showCanary(ports);
  }
  await stayUp(ports, usual);
}

async function dw(...args: readonly string[]): Promise<void> {
  await runDw(machine, args);
}

function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  return waitUntil(what, isTrue, { machine, logs: ["directory", "watson", "sherlock"], signal: interrupted.signal });
}

async function startEverything(ports: Ports, usual: boolean): Promise<void> {
  say(
    "A machine with a directory, a Watson and a Sherlock; three instances of emitter 1, one of emitter 2, and transform",
  );
  if (!usual) say("(the usual ports 5430 to 5433 are taken here, so others are used)");
  const address = `//localhost:${ports.directory}/directory`;
  const sherlock = `http://localhost:${ports.traffic}`;
  machine.env["SHERLOCK"] = sherlock;
  machine.startProgram("directory", [
    "-n",
    "localhost",
    "-p",
    String(ports.directory),
    "--data-dir",
    join(machine.folder, "directory"),
  ]);
  const watson = join(machine.folder, "watson.yaml");
  writeFileSync(
    watson,
    stringify({
      directories: [address],
      services: [machine.servicesFolder],
      host: "127.0.0.1",
      defaults: { liveness: { interval: "500ms" } },
    }),
  );
  machine.startProgram("watson", ["-c", watson, "--admin", `127.0.0.1:${ports.watsonAdmin}`]);
  const settings = join(machine.folder, "sherlock.yaml");
  writeFileSync(settings, stringify({ percentiles: "on" }));
  machine.startProgram("sherlock", [
    "-d",
    address,
    "-c",
    settings,
    "--name",
    "monolith",
    "--listen",
    `127.0.0.1:${ports.traffic}`,
    "--admin",
    `127.0.0.1:${ports.sherlockAdmin}`,
    "--run-dir",
    join(machine.folder, "sherlock"),
  ]);
  const services = [
    { service: "emitter", name: "emitter-1a", version: "1.0" },
    { service: "emitter", name: "emitter-1b", version: "1.0" },
    { service: "emitter", name: "emitter-1c", version: "1.1" },
    { service: "emitter", name: "emitter-2", version: "2.0" },
    { service: "transform", name: "transform-1", version: "1.0" },
  ];
  const free = await anyPorts(services.length);
  services.forEach(({ service, name, version }, i) => {
    const port = free[i] as number;
    machine.start(name, `examples/${service}.ts`, ["--port", String(port), "--name", name, "--version", version]);
    // What an operator writes, one file a service; Watson does the rest.
    const file = { service: `//${service}`, version, port, instance: name };
    writeFileSync(join(machine.servicesFolder, `${name}.yaml`), stringify(file));
  });
  await until("emitter and transform to answer", async () => {
    const { failed } = await callMany(`${sherlock}/emitter/`, { connections: 1, requests: 3 });
    const transform = await fetch(`${sherlock}/transform/`);
    const list = await machine.dw(["service", "list", "--json"]);
    const live = (list.match(/"state":\s*"live"/g) ?? []).length;
    return failed === 0 && transform.ok && live === services.length;
  });
}

async function showServices(ports: Ports): Promise<void> {
  say("The monolith knows one address, its own machine's");
  const url = `http://localhost:${ports.traffic}`;
  for (let i = 0; i < 3; i++) await curl(`${url}/emitter/`);
  await curl(`${url}/transform/`);
  const nobody = await curl(`${url}/nobody/`);
  check(nobody === 404, `an unknown name gives 404; it gave ${nobody}`);
  await dw("service", "list");
}

async function showDeath(ports: Ports): Promise<void> {
  say(`An instance is killed while ${CONNECTIONS} connections send requests`);
  const stop = new AbortController();
  const calls = callMany(`http://localhost:${ports.traffic}/emitter/`, {
    connections: CONNECTIONS,
    pauseMs: 2,
    signal: stop.signal,
  });
  await sleep(1_000);
  command("kill -9 emitter-1b");
  await machine.kill("emitter-1b");
  await sleep(2_000);
  stop.abort();
  const { requests, failed } = await calls;
  print(`${requests} requests, ${failed} failed`);
  check(failed === 0, `no request fails when an instance dies; ${failed} of ${requests} did`);
}

async function showCanary(ports: Ports): Promise<void> {
  say("Version 2 is live, but held: it gets nothing until a route says so");
  const url = `http://localhost:${ports.traffic}/emitter/`;
  const before = await callMany(url, { connections: CONNECTIONS, requests: 500 });
  check(before.byVersion.get("2.0") === undefined, "a held version gets no request");
  await dw("route", "add", "//monolith", "//emitter(2)", "10%");
  await until("version 2 to be reached", async () => {
    const { byVersion } = await callMany(url, { connections: CONNECTIONS, requests: 100 });
    return byVersion.has("2.0");
  });
  const { requests, failed, byVersion } = await callMany(url, { connections: CONNECTIONS, requests: 4_000 });
  const share = (100 * (byVersion.get("2.0") ?? 0)) / requests;
  print(
    `${requests} requests, ${failed} failed: ${[...byVersion]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([v, n]) => `version ${v}: ${n}`)
      .join(", ")}`,
  );
  print(`version 2 got ${share.toFixed(1)}%`);
  check(failed === 0, `no request fails when a route is added; ${failed} did`);
  check(Math.abs(share - 10) < 4 * Math.sqrt((10 * 90) / requests), `a share of 10% is 10%; it was ${share}%`);
  await dw("route", "list");
}

async function showRollouts(ports: Ports): Promise<void> {
  say("Version 3 of emitter fails one request in twenty, which nobody knows yet");
  const [port = 0] = await anyPorts(1);
  const name = "emitter-3";
  const args = ["--port", String(port), "--name", name, "--version", "3.0", "--fail-every", "20"];
  machine.start(name, "examples/emitter.ts", args);
  const file = { service: "//emitter", version: "3.0", port, instance: name };
  writeFileSync(join(machine.servicesFolder, `${name}.yaml`), stringify(file));
  await until("version 3 to be live", async () =>
    (await machine.dw(["instance", "list", "--json"])).includes(`"name": "${name}"`),
  );
  const stop = new AbortController();
  const url = `http://localhost:${ports.traffic}/emitter/`;
  const calls = callMany(url, { connections: 10, pauseMs: 45, signal: stop.signal });
  try {
    await watchRollout(["//emitter(3)", "--steps", "10%:1m,50%:1m"], 1);
    await dw("rollout", "show", "//emitter");
    await dw("route", "list");
    say("Version 2 does not fail: half of the requests show that soon enough");
    await watchRollout(["//emitter(2)", "--steps", "50%:10s", "--check", "error-rate <= 5%"], 0);
    await dw("service", "list");
    await dw("route", "history", "--limit", "10");
  } finally {
    stop.abort();
  }
  const { requests, failed } = await calls;
  print(`${requests} requests, ${failed} failed: those of version 3, while it had its share`);
  check(failed < requests / 50, `a version that fails is taken back soon; ${failed} of ${requests} failed`);
}

/** Starts a rollout and prints how it goes, as it goes. */
async function watchRollout(args: readonly string[], wanted: number): Promise<void> {
  const all = ["rollout", "start", ...args, "--wait"];
  command(`dw ${all.map((arg) => (/[() ]/.test(arg) ? `'${arg}'` : arg)).join(" ")}`);
  await machine.dw(all, wanted, (text) => process.stdout.write(text));
}

async function stayUp(ports: Ports, usual: boolean): Promise<void> {
  if (!process.stdout.isTTY) return;
  const environment = usual ? "" : `DATAWIRE_DIRECTORY=//localhost:${ports.directory}/directory `;
  say("All of it stays up for you to try, until Ctrl-C");
  print(`  curl http://localhost:${ports.traffic}/emitter/`);
  print(`  ${environment}npx dw route list -f`);
  print(`  ${environment}npx dw top`);
  print(`  ${environment}npx dw route add //monolith '//emitter(2)' 50%`);
  print(`  service files and logs: ${machine.folder}`);
  await new Promise((resolve) => {
    if (interrupted.signal.aborted) return resolve(null);
    // An unresolved promise alone keeps no process alive.
    const alive = setInterval(() => undefined, 60_000);
    interrupted.signal.addEventListener("abort", () => {
      clearInterval(alive);
      resolve(null);
    });
  });
}

/** Shows a curl command with its answer, and returns the status. */
async function curl(url: string): Promise<number> {
  command(`curl ${url}`);
  const response = await fetch(url);
  print((await response.text()).trimEnd());
  return response.status;
}
