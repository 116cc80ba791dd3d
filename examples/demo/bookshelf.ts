import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { choosePorts, type Machine, portNear } from "./machine.ts";
import { check, command, dw, print, say, until } from "./screen.ts";

const CONNECTIONS = 4;
/** Between two requests of a connection: the demo shows what happens to them, and not how many there can be. */
const PAUSE_MS = 30;
const SERVICES = ["gateway", "lastreadbooks", "booklist", "readbook", "newbook"] as const;

/**
 * The shelf of examples/bookshelf, started in the wrong order and reached through Sherlock. Under a loop of POSTs the router
 * is killed, and a view; then a second version of that view is rolled out. Whatever was answered with 201 is on the shelf.
 */
export async function showBookshelf(machine: Machine, signal: AbortSignal): Promise<void> {
  const { ports } = await choosePorts();
  const routerPort = await portNear(5672);
  const shelf = `http://localhost:${ports.traffic}/bookshelf`;
  machine.env["DATAWIRE_DIRECTORY"] = `//localhost:${ports.directory}/directory`;
  machine.env["DATAWIRE_ROUTER"] = `localhost:${routerPort}`;
  const logs = [...SERVICES, "sherlock", "router", "directory"];
  const comes = (what: string, isTrue: () => Promise<boolean>): Promise<void> =>
    until(what, isTrue, { machine, logs, signal });
  const settings = join(machine.folder, "router.yaml");
  copyFileSync(join(import.meta.dirname, "../bookshelf/router.yaml"), settings);
  const startRouter = (): void =>
    machine.startProgram("router", [
      "-c",
      settings,
      "-p",
      String(routerPort),
      "--data-dir",
      join(machine.folder, "router"),
      "--admin",
      "off",
      "--web",
      "off",
    ]);
  const startService = (name: string, file = name, ...args: readonly string[]): void =>
    machine.start(name, `examples/bookshelf/${file}.ts`, ["--instance", name, ...args]);

  say("Five services of the shelf, then Sherlock, then the router, and the directory last");
  for (const name of SERVICES) startService(name);
  machine.startProgram("sherlock", [
    "--name",
    "monolith",
    "--listen",
    `127.0.0.1:${ports.traffic}`,
    "--run-dir",
    join(machine.folder, "sherlock"),
    "--admin",
    `127.0.0.1:${ports.sherlockAdmin}`,
  ]);
  startRouter();
  machine.startProgram("directory", [
    "-n",
    "localhost",
    "-p",
    String(ports.directory),
    "--data-dir",
    join(machine.folder, "directory"),
  ]);
  await comes(
    "the shelf to answer",
    async () => (await ask("GET", `${shelf}/books`)).status === 200 && (await listed()) >= 5,
  );
  await dw(machine, ["service", "list"]);

  say("A book is put on the shelf, and read");
  const { body: emma } = await curl("POST", `${shelf}/books`, { title: "Emma" });
  await curl("POST", `${shelf}/books/${(emma as Book).id}/finished`);
  await curl("GET", `${shelf}/books/last/read`);
  await curl("POST", `${shelf}/books`, { author: "Jane Austen" });

  say(`${CONNECTIONS} connections put books on the shelf while the router is killed, and a view`);
  const stop = new AbortController();
  const posting = Promise.all(
    Array.from({ length: CONNECTIONS }, (_, i) => post(`${shelf}/books`, `loop ${i}`, stop.signal)),
  );
  await sleep(1_000);
  command("kill -9 router");
  await machine.kill("router");
  startRouter();
  await sleep(2_000);
  command("kill -9 booklist");
  await machine.kill("booklist");
  startService("booklist");
  await sleep(2_000);
  stop.abort();
  const created = 1 + (await posting).reduce((sum, count) => sum + count, 0);
  await comes("the view to be rebuilt", async () => (await ask("GET", `${shelf}/books`)).status === 200);
  const books = (await ask("GET", `${shelf}/books`)).body as readonly Book[];
  const titles = new Set(books.map(({ title }) => title)).size;
  print(`\n${created} answers of 201, ${books.length} books on the shelf, ${books.length - titles} of them twice`);
  check(books.length === created && titles === created, `as many books as answers of 201, each once`);

  say("A second version of the list, which says of each book whether it was read, is rolled out");
  startService("booklist-2", "booklist", "--version", "2.0");
  await comes("version 2 to be registered", async () =>
    (await machine.dw(["instance", "list", "--json"])).includes('"booklist-2"'),
  );
  const asking = new AbortController();
  const asked = Promise.all(Array.from({ length: CONNECTIONS }, () => look(`${shelf}/books`, asking.signal)));
  try {
    await dw(machine, [
      "rollout",
      "start",
      "//booklist(2)",
      "--steps",
      "50%:3s",
      "--check",
      "error-rate <= 20%",
      "--wait",
    ]);
  } finally {
    asking.abort();
  }
  const failed = (await asked).reduce((sum, count) => sum + count, 0);
  check(failed === 0, `no question fails meanwhile; ${failed} did`);
  const [first] = (await ask("GET", `${shelf}/books`)).body as readonly Book[];
  print(JSON.stringify(first));
  check(first?.read === true, "the first book to be said to be read");

  say("One request, across HTTP and messages");
  await comes("its trace", async () => (await traceOf(machine)) !== null);
  await dw(machine, ["trace", "show", (await traceOf(machine)) as string]);
  print(`\nits waterfall: http://localhost:${ports.directory}/console/ after \`dw console\``);

  async function listed(): Promise<number> {
    const list = await machine.dw(["service", "list", "--json"]);
    return (list.match(/"state":\s*"live"/g) ?? []).length;
  }
}

interface Book {
  readonly id: string;
  readonly title: string;
  readonly read?: boolean;
}

async function ask(method: string, url: string, body?: unknown, key?: string) {
  const headers = { "content-type": "application/json", ...(key !== undefined && { "idempotency-key": key }) };
  const answer = await fetch(url, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  const text = await answer.text();
  return {
    status: answer.status,
    body: text.startsWith("[") || text.startsWith("{") ? (JSON.parse(text) as unknown) : text,
  };
}

/** Shows a curl command with its answer. */
async function curl(method: string, url: string, body?: unknown) {
  command(
    `curl ${method === "GET" ? "" : `-X ${method} `}${url}${body === undefined ? "" : ` -d '${JSON.stringify(body)}'`}`,
  );
  const answer = await ask(method, url, body);
  print(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}

/** Puts books on the shelf, one after the other, each asked for until it is there; tells how many answers were 201. */
async function post(url: string, title: string, signal: AbortSignal): Promise<number> {
  for (let count = 0; ; count++) {
    if (signal.aborted) return count;
    const key = `${title}, ${count}`;
    while ((await ask("POST", url, { title: key }, key).catch(() => null))?.status !== 201) await sleep(50);
    await sleep(PAUSE_MS);
  }
}

/** Asks for the list again and again; tells how often that failed. */
async function look(url: string, signal: AbortSignal): Promise<number> {
  let failed = 0;
  while (!signal.aborted) {
    if ((await ask("GET", url).catch(() => null))?.status !== 200) failed++;
    await sleep(PAUSE_MS);
  }
  return failed;
}

/** The trace of the first book. */
async function traceOf(machine: Machine): Promise<string | null> {
  const found = JSON.parse(
    await machine.dw(["trace", "list", "--service", "newbook", "--limit", "200", "--json"]),
  ) as unknown;
  const traces = (Array.isArray(found) ? found : []) as readonly { readonly traceId: string; readonly spans: number }[];
  return traces.findLast(({ spans }) => spans >= 6)?.traceId ?? null;
}
