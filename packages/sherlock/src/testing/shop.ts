import { join } from "node:path";
import type { Instance, Service } from "@datawire/protocol";
import { Catalog } from "@datawire/catalog";
import { type Entity, instance, service, catalogOf } from "./entities.ts";
import { type Answer, ask } from "./ask.ts";
import { type Echo, startEcho } from "./echo.ts";
import { type Machine, startMachine } from "./machine.ts";
import { freePort, removeFolder, temporaryFolder } from "./places.ts";

/** A service `shop` that keeps sessions, with the instances a, b and c behind a real HAProxy. */
export interface Shop {
  readonly folder: string;
  readonly machine: Machine;
  readonly a: Echo;
  readonly b: Echo;
  readonly c: Echo;
  service(fields?: Partial<Omit<Service, "settings">> & { readonly settings?: Partial<Service["settings"]> }): Entity;
  /** Its three instances. */
  three(fields?: Partial<Instance>): Entity[];
  /** Makes the table be of these, and resolves when HAProxy follows. */
  become(...entities: readonly Entity[]): Promise<void>;
  get(path?: string, cookie?: string): Promise<Answer>;
  /** Begins sessions until one is at that instance, and gives its cookie. */
  sessionAt(name: string, path?: string): Promise<string>;
  /** Who answers some requests of a session, each name once. */
  answering(cookie: string, path?: string): Promise<string[]>;
  close(): Promise<void>;
}

/** Settings of a service whose sessions stay with their instance. */
export const SESSIONS = { balance: "cookie:SERVERID" };

/** What an answer that begins a session of `shop` sets. */
export const COOKIE = /^SERVERID=s\.[A-Za-z0-9_-]{22}; Path=\/shop; HttpOnly; SameSite=Lax$/;

/** The cookie that an answer sets, as a client sends it. */
export function cookieOf(answer: Answer): string | undefined {
  return answer.headers["set-cookie"]?.at(-1)?.split(";")[0];
}

/** Instances set the cookies that `?cookie=` asks for. */
export async function openShop(): Promise<Shop> {
  const folder = await temporaryFolder();
  const cookies = (url: string | undefined): string[] => new URL(url ?? "/", "http://x").searchParams.getAll("cookie");
  const start = (name: string): Promise<Echo> => startEcho(name, (req) => ({ "set-cookie": cookies(req.url) }));
  const [a, b, c] = await Promise.all([start("a"), start("b"), start("c")]);
  const table = new Catalog();
  const machine = await startMachine({ table, runDir: join(folder, "run"), port: await freePort() });
  const get: Shop["get"] = (path = "/shop/", cookie) => ask(machine.port, path, cookie === undefined ? {} : { cookie });
  return {
    folder,
    machine,
    a,
    b,
    c,
    service: (fields = {}) => service("shop", { settings: SESSIONS, ...fields }),
    three: (fields = {}) =>
      [a, b, c].map((echo, order) => instance("shop", "abc"[order] as string, { url: echo.url, order, ...fields })),
    async become(...entities) {
      await machine.follow(table.apply(table.changeTo(catalogOf(...entities).snapshot())));
      // An old worker that has not heard yet that it is to end takes connections too.
      await machine.settled();
    },
    get,
    async sessionAt(name, path = "/shop/") {
      for (let i = 0; i < 100; i++) {
        const answer = await get(path);
        if (answer.seen?.name === name) return cookieOf(answer) as string;
      }
      throw new Error(`Nothing of a hundred requests came to ${name}`);
    },
    async answering(cookie, path = "/shop/") {
      const names = new Set<string>();
      for (let i = 0; i < 8; i++) {
        const answer = await get(path, cookie);
        names.add(answer.seen?.name ?? String(answer.status));
      }
      return [...names].toSorted();
    },
    async close() {
      await machine.stop();
      await Promise.all([a, b, c].map((echo) => echo.close()));
      await removeFolder(folder);
    },
  };
}
