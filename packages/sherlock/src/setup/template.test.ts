import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isIpLiteral } from "@datawire/protocol";
import type { Plan } from "../core/model/plan.ts";
import { viewOf } from "../core/render/render.ts";
import type { RenderSettings, TemplateView } from "../core/render/template-view.ts";
import { type Entity, instance, routes, service, catalogOf } from "../testing/entities.ts";
import { EVERY_FEATURE } from "../testing/features.ts";
import { INPUTS, plannerOf, SETTINGS } from "../testing/plans.ts";
import { removeFolder, temporaryFolder } from "../testing/places.ts";
import { loadTemplate } from "./template.ts";
import { precompileTemplate } from "./template-compiler.ts";
import { builtInFolder } from "./template-files.ts";

/** Rewrite the golden files with UPDATE_GOLDEN=1, and read the difference. */
const GOLDEN = new URL("../testing/golden/", import.meta.url);

function view(...entities: readonly Entity[]): TemplateView {
  return planned(entities, SETTINGS).view;
}

function planned(entities: readonly Entity[], settings: RenderSettings): { plan: Plan; view: TemplateView } {
  const planner = plannerOf({
    overrides: new Map([["tuned", { timeoutMs: 5_000 }]]),
    stickyIp: true,
    features: settings.features,
    tcp: { listen: new Map([["db", { host: "127.0.0.1", port: 6_001 }]]), range: null },
  });
  const plan = planner.plan(catalogOf(...entities), {
    ...INPUTS,
    resolve: (host) => ({ state: "known", address: isIpLiteral(host) ? host : "10.0.0.1" }),
  });
  return { plan, view: viewOf(plan, settings, "generation") };
}

test.each<[string, readonly Entity[]]>([
  ["empty", []],
  [
    "plain",
    [
      service("s"),
      instance("s", "a"),
      instance("s", "b", { order: 1, url: "http://vm2/base", state: "down", reason: "503" }),
    ],
  ],
  [
    "everything",
    [
      service("canary", { settings: { balance: "least-connections", defaultUrl: "https://old.example.com/c" } }),
      instance("canary", "a", { url: "http://[::1]:8000/a%25b'c" }),
      instance("canary", "b", { url: "http://vm2:8080", version: "2.1", order: 1, weight: 7 }),
      routes(
        "canary",
        {
          "//canary(2)": { share: 1_000, when: "header:x-canary=1" },
          "//canary@a": { share: 0, when: "cookie:be'ta=y" },
        },
        { sticky: "ip" },
      ),
      service("grpc", { protocol: "h2", settings: { balance: "consistent:header:x-user" } }),
      instance("grpc", "a", { protocol: "h2", url: "http://vm1:9000" }),
      service("secure", { settings: { maxConnections: 10, slowStartMs: 5_000, balance: "ordered" } }),
      instance("secure", "a", { url: "https://secure.example.com/" }),
      service("tuned"),
      instance("tuned", "a"),
      service("db", { protocol: "tcp" }),
      instance("db", "a", { protocol: "tcp", url: "tcp://vm3:5432" }),
    ],
  ],
])("the built-in template renders %s as in its golden file", async (name, entities) => {
  const filled = view(...entities);
  const text = (await loadTemplate(null)).render(filled);
  const file = new URL(`${name}.cfg`, GOLDEN);
  if (process.env["UPDATE_GOLDEN"] === "1") await writeFile(file, text);
  expect(text).toBe(await readFile(file, "utf8"));
  expect((await loadTemplate(null, await bundled())).render(filled)).toBe(text);
});

test("explain adds lines to the built-in template, and changes none", async () => {
  const template = await loadTemplate(null);
  const entities = [
    service("s", { settings: { balance: "cookie:SERVERID" } }),
    instance("s", "a"),
    instance("s", "b", { version: "2", order: 1 }),
    routes("s", { "//s(2)": { share: 1_000, when: "path:/beta" } }),
  ];
  const lines = (explain: boolean): string[] =>
    template.render(planned(entities, { ...SETTINGS, explain }).view).split("\n");
  const more = lines(true);
  let at = 0;
  for (const line of lines(false)) at = more.indexOf(line, at) + 1 || Number.NaN;
  expect(at).toBe(more.length);
  expect(lines(false).filter((line) => /explain|x-datawire|reasons\.map|places\.map/i.test(line))).toEqual([]);
  expect(more.filter((line) => line.includes("set-header X-Datawire-Revision"))).toHaveLength(2);
});

test.each([
  ["header:x-user", "hash req.fhdr(x-user)", "'hdr(x-user)'"],
  ["path", "hash path", "uri path-only"],
  ["ip", "hash src", "source"],
  ["cookie:id", "hash req.cook(id)", "roundrobin"],
])("consistent:%s is %s, and %s before HAProxy 2.6", (by, expected, before) => {
  const entities = [service("s", { settings: { balance: `consistent:${by}` } }), instance("s", "a")];
  expect(planned(entities, SETTINGS).view.backends[0]).toMatchObject({ balance: expected });
  const old = planned(entities, { ...SETTINGS, features: { ...EVERY_FEATURE, hashBalance: false } });
  expect(old.view.backends[0]).toMatchObject({ balance: before });
  expect(old.plan.problems.map(({ message }) => message)).toEqual(
    by === "cookie:id"
      ? ["Cannot balance by consistent:cookie:id: wanted HAProxy 2.6 or newer; it is round-robin"]
      : [],
  );
});

test.each([
  ["percentiles of all requests", { oneIn: 1 }, false, { log: "log fd@3 len 4096 format raw local0", draw: null }],
  ["percentiles of some", { oneIn: 10 }, false, { log: "log fd@3 len 4096 format raw local0", draw: 10 }],
  [
    "percentiles of some, and an access log of all",
    { oneIn: 10 },
    true,
    { log: "log fd@3 len 4096 format raw sample 1:10 local0", draw: null },
  ],
])("the built-in template has %s", async (_what, { oneIn }, accessLog, { log, draw }) => {
  const { view } = planned([], { ...SETTINGS, accessLog, latencies: { fd: 3, oneIn } });
  const lines = (await loadTemplate(null))
    .render(view)
    .split("\n")
    .map((line) => line.trim());
  expect(lines).toContain(log);
  const draws = lines.filter((line) => line.startsWith("http-request set-log-level silent if"));
  // In the frontends of callers, of the fallback and of what an earlier worker hands over.
  expect(draws).toEqual(
    draw === null ? [] : Array(3).fill(`http-request set-log-level silent if { rand(${draw}) gt 0 }`),
  );
  expect(lines.includes("log-format '%b %s %Ta'")).toBe(!accessLog);
});

test("an HAProxy that does not take Host from the name of a server has a backend for each instance, which sets it", () => {
  const entities = [service("s"), instance("s", "a"), instance("s", "b", { order: 1, url: "http://vm2:81" })];
  const features = { ...EVERY_FEATURE, hostFromName: false };
  const { view } = planned(entities, { ...SETTINGS, features });
  expect(view.plainMapping?.nameIsHost).toBe(false);
  expect(view.backends.map(({ defaults, hostHeader, servers }) => [defaults, hostHeader, servers.length])).toEqual([
    ["plain", "'127.0.0.1:8000'", 1],
    ["plain", "'vm2:81'", 1],
  ]);
});

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => removeFolder(folder));

async function template(text: string) {
  const path = join(folder, "mine.hbs");
  await writeFile(path, text);
  return loadTemplate(path);
}

test("loadTemplate() uses a user's file with the built-in partials, and partials beside it instead of those", async () => {
  await mkdir(join(folder, "partials"));
  await writeFile(join(folder, "partials", "global.hbs"), "global\n  nbthread 2\n");
  const mine = await template("# {{caller}}\n{{> global}}{{> runtime}}");
  expect(mine.render(view())).toContain("# monolith\nglobal\n  nbthread 2\n  stats socket /run/r.sock");
});

test.each([
  ["a block that is not closed", "global\n{{#each backends}}\n", /mine\.hbs:\d: .*(EOF|close)/i],
  ["a variable that does not exist", "global\n  {{nonsense}}\n", /mine\.hbs:2: .*nonsense/],
  ["a partial that does not exist", "global\n\n{{> nonsense}}\n", /mine\.hbs.*nonsense/],
  ["an object's prototype", "{{constructor.name}}", /mine\.hbs/],
])("a template with %s is refused with its line", async (_what, text, expected) => {
  const rendered = template(text).then((mine) => mine.render(view()));
  await expect(rendered).rejects.toThrow(expected);
});

/** The built-in template as a bundle has it, in a folder of this test. */
async function bundled(change = (compiled: string): string => compiled): Promise<string> {
  await cp(await builtInFolder(), folder, { recursive: true });
  await writeFile(join(folder, "compiled.js"), change(await precompileTemplate()));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
  return folder;
}

test("a bundle's template is not compiled again", async () => {
  const { render } = await loadTemplate(null, await bundled((text) => text.replaceAll("frontend", "FRONTEND")));
  expect(render(view())).toContain("FRONTEND http_in");
});

test("a bundle's texts hold where somebody has changed them", async () => {
  const folder = await bundled();
  await writeFile(join(folder, "partials/global.hbs"), "global\n  nbthread 2\n");
  const changed = await loadTemplate(null, folder);
  expect(changed.render(view())).toContain("global\n  nbthread 2\n");
  expect(changed.source).toContain("nbthread 2");
});

test.each(["", "export const digest = ", "export const digest = 7;", "throw new Error('damaged');"])(
  "a bundle whose compiled template is %j fills its texts",
  async (damage) => {
    const expected = (await loadTemplate(null)).render(view());
    expect((await loadTemplate(null, await bundled(() => damage))).render(view())).toBe(expected);
  },
);
