import { Agent, request } from "node:http";
import { Catalog } from "@datawire/catalog";
import fc from "@datawire/protocol/testing/random";
import { eventually } from "@datawire/runtime/testing";
import { explain, type RequestFacts } from "@datawire/routing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Echo, startEcho } from "../testing/echo.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { type AddressOf, changes, tableFrom, withStates, type World, worlds } from "../testing/simulated/worlds.ts";

/**
 * Changes by chance on a real HAProxy under load. Every answer is counted: while nothing changes it has to be one of
 * the table, while something does one of the table before or of the one after.
 */

const CHANGES = process.env["DSTACK_SOAK"] === "1" ? 600 : 12;
/** Of each caller, while nothing changes. */
const ANSWERS_MIN = 4;

let folder: string;
let machine: Machine;
const echoes = new Map<string, Echo>();
const table = new Catalog();

const addressOf: AddressOf = (service, instance) => `127.0.0.1:${echoes.get(`${service}/${instance}`)?.port}`;

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const service of ["a", "b"])
    for (const name of ["i1", "i2", "i3", "old"])
      echoes.set(`${service}/${name}`, await startEcho(`${service}/${name}`));
  machine = await startMachine({ table, runDir: folder, port: await freePort() });
});

afterAll(async () => {
  await machine.stop();
  await Promise.all([...echoes.values()].map((echo) => echo.close()));
  await removeFolder(folder);
});

/** What a caller asks, again and again. */
interface Asking extends Required<Pick<RequestFacts, "path" | "headers">> {}

const CALLERS: readonly Asking[] = [
  { path: "/y", headers: {} },
  { path: "/x/y", headers: {} },
  { path: "/y", headers: { k: "v" } },
  { path: "/y", headers: { u: "ann", w: "bob" } },
  { path: "/y", headers: { u: "cid", w: "dot" } },
  { path: "/x", headers: { u: "eve", k: "w" } },
];

interface Answer {
  readonly caller: number;
  /** How many changes had been begun when it was asked for, and how many had been followed when it came. */
  readonly begun: number;
  readonly followed: number;
  readonly by: string;
}

/** Asks without end over one connection for each caller, as long as that lasts. */
class Load {
  readonly answers: Answer[] = [];
  begun = 0;
  followed = 0;
  #stopped = false;
  readonly #callers: Promise<void>[];

  constructor() {
    this.#callers = CALLERS.map((asking, caller) => this.#ask(asking, caller));
  }

  /** Resolves when each caller has so many answers to what it asked after the last change. */
  async settled(): Promise<void> {
    const { followed } = this;
    await eventually(() => {
      for (const caller of CALLERS.keys()) {
        const since = this.answers.filter(
          (one) => one.caller === caller && one.begun === followed && one.followed === followed,
        );
        if (since.length < ANSWERS_MIN) throw new Error(`caller ${caller} has ${since.length} answers`);
      }
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#callers);
  }

  async #ask({ path, headers }: Asking, caller: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!this.#stopped) {
      const before = { begun: this.begun, followed: this.followed };
      const by = await answerTo(machine.port, `/a${path}`, { agent, headers });
      this.answers.push({ caller, begun: this.begun, followed: before.followed, by });
    }
    agent.destroy();
  }
}

/** The name of the instance that answers; the status, or the error, where none does. */
function answerTo(
  port: number,
  path: string,
  options: { agent: Agent; headers: RequestFacts["headers"] },
): Promise<string> {
  return new Promise((resolve) => {
    const sent = request({ host: "127.0.0.1", port, path, ...options, headers: { ...options.headers } }, (response) => {
      response.resume().on("end", () => resolve(String(response.headers["x-inst"] ?? response.statusCode)));
    });
    sent.on("error", (error) => resolve(error.message));
    sent.end();
  });
}

/** Each share that a request may fall into, as the instances that may answer then; `503` for what of it nobody takes. */
function sharesOf(tables: readonly Catalog[], { path, headers }: Asking): Set<string>[] {
  return tables.flatMap((one) => {
    const shares = explain(one, "a", { caller: "monolith", zone: null }, { path, headers })?.shares ?? [];
    if (shares.length === 0) return [new Set(["503", "404"])];
    return shares.map(({ percent, instances }) => {
      const names = instances.map(({ name, url }) => echoAt(name, url));
      const taken = instances.reduce((sum, instance) => sum + instance.percent, 0);
      // A part of a share into another service may be refused there; the percentages are rounded.
      return new Set(taken > percent - 0.1 && names.length > 0 ? names : [...names, "503"]);
    });
  });
}

function echoAt(name: string, url: string): string {
  const { port } = new URL(url);
  const found = [...echoes].find(([, echo]) => String(echo.port) === port);
  return found?.[0] ?? `${name} at ${url}`;
}

/** Whether a caller keeps its side under a table: it has the key, and no condition chooses for it. */
function isSticky(one: Catalog, { headers }: Asking): boolean {
  const { tables = [] } = one.service("a") ?? {};
  const decides = tables.find(({ caller }) => caller === "monolith") ?? tables.find(({ caller }) => caller === "*");
  const key = decides?.sticky?.replace("header:", "");
  return key !== undefined && headers[key] !== undefined;
}

test("every answer under load is one of the table before or after, and no user sees two sides of one table", async () => {
  const seed = process.env["DSTACK_SOAK"] === "1" ? Date.now() : 20_260;
  const [start] = fc.sample(worlds, { numRuns: 1, seed }) as [World];
  const steps = fc.sample(changes, { numRuns: CHANGES, seed });
  let world = { ...start, t: { ...start.t, there: false } };
  const tables: Catalog[] = [];
  const follow = async (): Promise<void> => {
    const wanted = tableFrom(world, addressOf);
    tables.push(wanted);
    await machine.follow(table.apply(table.changeTo(wanted.snapshot())));
    expect(machine.problems).toEqual([]);
  };
  await follow();
  const load = new Load();
  await load.settled();
  for (const change of steps) {
    const next = change(world);
    world = { ...next, a: { ...next.a, there: true }, t: { ...next.t, there: false } };
    load.begun++;
    await follow();
    load.followed++;
    await load.settled();
  }
  await load.stop();
  const wrong = load.answers.filter(({ caller, begun, followed, by }) => {
    const asking = CALLERS[caller] as Asking;
    const during = tables.slice(followed, begun + 1);
    const interim = during.flatMap((one, i) =>
      during
        .slice(i + 1)
        .flatMap((later) => [withStates(one, later), withStates(one, later, { keepsEnding: () => true })]),
    );
    return !sharesOf([...during, ...interim], asking).some((names) => names.has(by));
  });
  const about = wrong
    .slice(0, 1)
    .map(({ begun, followed }) => tables.slice(followed, begun + 1).map((one) => one.snapshot()));
  expect(wrong.slice(0, 5), `with the seed ${seed}, between ${JSON.stringify(about)}`).toEqual([]);
  const twoSided = CALLERS.flatMap((asking, caller) =>
    tables.flatMap((one, i) => {
      if (!isSticky(one, asking)) return [];
      const quiet = load.answers.filter(
        (answer) => answer.caller === caller && answer.begun === i && answer.followed === i,
      );
      const seen = new Set(quiet.map(({ by }) => by));
      const isOneSide = sharesOf([one], asking).some((names) => [...seen].every((name) => names.has(name)));
      return isOneSide ? [] : [{ caller, table: i, seen: [...seen] }];
    }),
  );
  expect(twoSided, `with the seed ${seed}`).toEqual([]);
  expect(load.answers.length).toBeGreaterThan(CHANGES * CALLERS.length * ANSWERS_MIN);
  // As ever, a change takes one reload at the most.
  expect(machine.reloads.length).toBeLessThanOrEqual(CHANGES + 1);
});
