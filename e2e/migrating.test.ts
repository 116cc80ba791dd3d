import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Reader } from "./harness/docs/reader.ts";
import { eventually } from "./harness/wait.ts";

/**
 * Ten configurations as they are found, moved by the rules of docs/migrating.md, on one machine that has the addresses
 * of all the others. The HAProxies run as they are in `before`, beside dstack with what became of all ten. What the
 * service files say is compared with what the old ones said in `packages/watson/src/config/migrating.test.ts`.
 */
const FIXTURES = join(import.meta.dirname, "fixtures/migrating");
const HAPROXIES = ["haproxy-shop", "haproxy-routing", "haproxy-tcp"] as const;

const moved = [...readdirSync(join(FIXTURES, "services")).map((name) => `services/${name}`), "commands.sh"];
const machines = new Set(
  moved.flatMap((name) =>
    [...readFileSync(join(FIXTURES, name), "utf8").matchAll(/\b10\.0\.\d+\.\d+:\d+/g)].map(([at]) => at),
  ),
);

let reader: Reader;

interface Arrived {
  readonly at: string;
  readonly path: string;
}

/** Where requests arrive, and as what; what is no answer of a machine is told as it is. */
async function ask(...curls: readonly string[]): Promise<(Arrived | string)[]> {
  const printed = await reader.type(curls.map((curl) => `curl -s -m 60 ${curl}; echo`).join("\n"));
  const lines = printed.split("\n").filter((line) => line !== "");
  return lines.map((line) => (line.startsWith("{") ? (JSON.parse(line) as Arrived) : line));
}

async function atPort(port: number): Promise<string> {
  const printed = await reader.type(`exec 3<>/dev/tcp/127.0.0.1/${port} && echo AT >&3 && head -n 1 <&3; exec 3>&-`);
  return printed.trim();
}

/** What the health check of a machine answers from now on: `status=503&body=…`, or `listen=off`. */
const set = (at: string, how: string): Promise<string> => reader.type(`curl -s -X PUT '127.0.0.1:9900/${at}?${how}'`);

async function json<T>(command: string): Promise<T> {
  const printed = await reader.type(command);
  return JSON.parse(printed) as T;
}

/** The servers that an old HAProxy takes to be up, of those that it checks. */
async function upAtHaproxy(name: (typeof HAPROXIES)[number]): Promise<string[]> {
  const show = `require("net").connect("/tmp/${name}.sock").on("data", (d) => process.stdout.write(d)).write("show stat\\n")`;
  const rows = (await reader.type(`node -e '${show}'`)).split("\n").map((line) => line.split(","));
  return rows.filter((row) => row[17]?.startsWith("UP") && row[1] !== "BACKEND").map((row) => row[1] as string);
}

async function upAtWatson(): Promise<string[]> {
  const instances = await json<{ readonly name: string; readonly state: string }[]>("dw instance list --json");
  return instances.filter(({ state }) => state === "live").map(({ name }) => name);
}

async function shares(service: string): Promise<Record<string, number>> {
  const explained = await json<{ readonly shares: readonly { readonly target: string; readonly percent: number }[] }>(
    `dw explain //monolith //${service} --json`,
  );
  return Object.fromEntries(explained.shares.map(({ target, percent }) => [target, percent]));
}

beforeAll(async () => {
  reader = await Reader.arrive();
  const hosts = new Set([...machines].map((at) => at.split(":")[0]));
  const printed = await reader.type(
    [
      `export PATH="$PWD/build/bin:$PATH"; cd e2e/fixtures/migrating`,
      ...[...hosts].map((host) => `ip addr add ${host}/32 dev lo`),
      "mkdir -p /etc/datawire /etc/datawire.d /usr/local/bin",
      // What checks run an operator has installed anyway.
      `printf '#!/bin/bash\\nexec 3<>/dev/tcp/$2/6379 && echo PING >&3 && head -n 1 <&3\\n' >/usr/local/bin/redis-cli`,
      `printf '#!/bin/bash\\nexec 3<>/dev/tcp/\${1#--host=}/3306\\n' >/usr/local/bin/mysqladmin`,
      "chmod +x /usr/local/bin/redis-cli /usr/local/bin/mysqladmin",
      "cp watson.yaml sherlock.yaml /etc/datawire/",
      "cp services/*.yaml /etc/datawire.d/",
      "watson --check && sherlock --check",
    ].join("\n"),
  );
  if (printed !== "") throw new Error(`Watson and Sherlock do not take what was moved as it is: ${printed}`);
  await reader.type(
    [
      `node ../old-machines.ts ${[...machines].join(" ")} &`,
      ...HAPROXIES.map((name) => `haproxy -f before/${name}.cfg &`),
      "directory -n localhost & watson & sherlock &",
    ].join("\n"),
  );
  await eventually(async () => {
    const up = await upAtWatson();
    if (!["catalog-2", "site2"].every((name) => up.includes(name))) throw new Error(`only ${up.join()} are up`);
  });
  const said = await reader.type("sh -e commands.sh");
  if (/^dw: /m.test(said)) throw new Error(`dw refuses a command: ${said}`);
});
afterAll(() => reader.leave());

test.each<[what: string, before: string | null, after: string, at: readonly string[], path: string]>([
  ["nerve, http", null, "localhost:5432/barker/x?y=1", ["10.0.1.1:8080"], "/x?y=1"],
  ["Consul, a name with a capital", null, "localhost:5432/web/x", ["10.0.3.1:8080"], "/x"],
  ["consul-template", null, "localhost:5432/mailer/x", ["10.0.4.1:8080", "10.0.4.2:8080"], "/x"],
  [
    "HAProxy, default_backend",
    "localhost:8000/x",
    "-H 'Host: shop' localhost:5432/x",
    ["10.0.5.1:8080", "10.0.5.2:8080"],
    "/x",
  ],
  [
    "HAProxy, path_beg",
    "-H 'X-User: u' localhost:8100/api/x",
    "-H 'X-User: u' localhost:5432/api/x",
    ["10.0.6.1:8080", "10.0.6.2:8080"],
    "/api/x",
  ],
  [
    "HAProxy, path_beg below another",
    "localhost:8100/api/reports/x",
    "localhost:5432/api/reports/x",
    ["10.0.6.3:8080"],
    "/api/reports/x",
  ],
  [
    "HAProxy, replace-path",
    "localhost:8100/billing/a//b?c",
    "localhost:5432/billing/a//b?c",
    ["10.0.6.4:8080"],
    "/a//b?c",
  ],
  [
    "HAProxy, hdr(host)",
    "-H 'Host: blog.example.com' localhost:8100/x",
    "-H 'Host: blog.example.com' localhost:5432/x",
    ["10.0.6.5:8080"],
    "/x",
  ],
  [
    "HAProxy, a header",
    "-H 'X-Beta: 1' localhost:8100/x",
    "-H 'X-Beta: 1' localhost:5432/site/x",
    ["10.0.6.8:8080"],
    "/x",
  ],
  ["fabio, strip", null, "localhost:5432/catalog/x", ["10.0.8.1:8080", "10.0.8.2:8080"], "/x"],
  ["fabio, a host", null, "-H 'Host: catalog.example.com' localhost:5432/x", ["10.0.8.1:8080"], "/x"],
  ["fabio, no strip", null, "localhost:5432/assets/x", ["10.0.8.3:8080"], "/assets/x"],
  ["Traefik, stripPrefix", null, "localhost:5432/pay/x", ["10.0.9.1:8080", "10.0.9.2:8080"], "/x"],
  ["Traefik, Host", null, "-H 'Host: portal.example.com' localhost:5432/x", ["10.0.9.3:8080"], "/x"],
  ["Eureka, OUT_OF_SERVICE", null, "localhost:5432/invoices/x", ["10.0.10.1:8080"], "/x"],
])("%s: a request arrives where it did, as it did", async (_, before, after, at, path) => {
  const curls = [...(before === null ? [] : [before]), after];
  await eventually(async () => {
    for (const arrived of await ask(...curls, ...curls)) {
      expect(arrived).toMatchObject({ path });
      expect(at).toContain((arrived as Arrived).at);
    }
  });
});

test("shares are those that weights and draws had", async () => {
  await eventually(async () => {
    expect(await shares("site")).toEqual({ "//site(2)": 10, "//site": 90 });
    expect(await shares("pay")).toEqual({ "//pay(2)": 10, "//pay": 90 });
    expect(await shares("catalog")).toEqual({ "//catalog@catalog-2": 20, "//catalog": 80 });
  });
});

test("`hdr()` and a cookie that the proxy inserts keep a user where they kept them", async () => {
  for (const url of ["localhost:8100/api/x", "localhost:5432/api/x"]) {
    const user = (name: string): string[] => Array.from({ length: 4 }, () => `-H 'X-User: ${name}' ${url}`);
    for (const name of ["ann", "bob", "eve"]) expect(new Set((await ask(...user(name))).map(placeOf)).size).toBe(1);
  }
  for (const url of ["localhost:8000/x", "localhost:5432/shop/x"]) {
    const again = Array.from({ length: 8 }, () => `-b /tmp/jar -c /tmp/jar ${url}`);
    const places = (await ask(`-c /tmp/jar ${url}`, ...again)).map(placeOf);
    expect({ url, places: new Set(places).size }).toEqual({ url, places: 1 });
  }
});

const placeOf = (arrived: Arrived | string): string => (typeof arrived === "string" ? arrived : arrived.at);

test("TCP ports lead where they led", async () => {
  // Each is live when its first check has passed.
  await eventually(async () => {
    expect(["10.0.7.1:6379", "10.0.7.2:6379"]).toContain(await atPort(6300));
    expect(["10.0.7.1:6379", "10.0.7.2:6379"]).toContain(await atPort(16_300));
    expect(await atPort(3219)).toBe("10.0.1.1:6379");
    expect(await atPort(3306)).toBe("10.0.1.1:3306");
    expect(await atPort(13_300)).toBe("10.0.7.3:3306");
    expect(await atPort(3400)).toBe("10.0.8.4:6379");
  });
});

test("Watson asks what HAProxy asked, and judges the answers as it did", async () => {
  await set("10.0.5.1:8081", "status=500&body=all+systems+go"); // the text alone counts
  await set("10.0.5.2:8081", "status=200&body=degraded");
  await set("10.0.6.1:8080", "status=302&body=");
  await set("10.0.6.2:8080", "status=404&body=");
  await set("10.0.6.4:8080", "status=204&body="); // wanted 200
  await set("10.0.7.1:6379", "status=500&body="); // -LOADING
  await eventually(async () => {
    const up = [
      ...(await upAtHaproxy("haproxy-shop")),
      ...(await upAtHaproxy("haproxy-routing")),
      ...(await upAtHaproxy("haproxy-tcp")),
    ];
    expect(up.toSorted()).toEqual(["api1", "cache2", "web1"]);
    const names = ["api1", "api2", "billing1", "cache1", "cache2", "web1", "web2"];
    expect((await upAtWatson()).filter((name) => names.includes(name)).toSorted()).toEqual(["api1", "cache2", "web1"]);
  });
  const seen = await json<Record<string, string[]>>("curl -s 127.0.0.1:9900");
  expect(seen["10.0.5.1:8081"]).toEqual(["GET /health shop.example.com"]);
  // HAProxy says no Host unless it is told one; Watson says where it goes.
  expect(seen["10.0.6.4:8080"]?.toSorted()).toEqual(["HEAD /health -", "HEAD /health 10.0.6.4:8080"]);
  expect(seen["10.0.3.1:8081"]).toEqual(["HEAD /health web.internal"]);
  expect(seen["10.0.1.1:8082"]).toEqual(["GET /health orders.internal"]);
});

test("what stood by stands in, and only then", async () => {
  await set("10.0.5.1:8081", "status=200&body=degraded");
  await set("10.0.9.3:8080", "status=503&body=");
  for (const at of ["10.0.1.1:6379", "10.0.7.3:3306"]) await set(at, "listen=off");
  await eventually(async () => {
    const [old, shop, portal] = await ask(
      "localhost:8000/x",
      "localhost:5432/shop/x",
      "-H 'Host: portal.example.com' localhost:5432/x",
    );
    expect([old, shop].map((one) => (one as Arrived).at)).toEqual(["10.0.5.9:8080", "10.0.5.9:8080"]);
    expect(portal).toEqual({ at: "10.0.9.9:8080", path: "/x" });
    expect(["10.0.2.1:6379", "10.0.2.2:6379"]).toContain(await atPort(3219));
    expect(await atPort(13_300)).toBe("10.0.7.4:3306");
  });
});
