import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readRegistration } from "@datawire/protocol";
import { type Chance, fuzz, mutateJson, mutateText } from "@datawire/protocol/testing/fuzz";
import { formatProblem } from "@datawire/runtime";
import { expect, test } from "vitest";
import { readServices } from "./service-file.ts";
import { createFileSchema, type ServiceContext } from "./service-schema.ts";

const context: ServiceContext = {
  env: { PORT: "8080" },
  host: "vm101.example.com",
  zone: null,
  defaults: {},
  router: { host: "127.0.0.1", port: 5434 },
  directories: ["services", "dir-b:5431"],
  noExec: null,
  noEnv: null,
};
const schema = createFileSchema(context);

const folder = join(import.meta.dirname, "../../../../etc/datawire.d");
const TEXTS = [
  ...readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8")),
  "- &a { service: //a, url: 'http://h:1', tags: [a, ${PORT}] }\n- { <<: *a, service: //b }\n",
  "service: //db\nprotocol: tcp\nurl: tcp://h:1\nproxy_port: 6001\nliveness: { tcp: 'h:1', interval: 500ms }\n",
];
const SERVICE = {
  service: "//services/barker",
  version: "2.0",
  url: "http://h:1/base",
  instance: "a",
  weight: 5,
  zone: "z",
  tags: ["x"],
  drain: "3s",
  liveness: [
    { http: "/health", method: "HEAD", headers: { Host: "x" }, expect: { status: [200, "300-399"], body: "^ok$" } },
    { exec: ["true", "x"], interval: "1s", timeout: "500ms", rise: 2, fall: 3 },
    { grpc: "h:1" },
    { ttl: "10s" },
  ],
};

function make(chance: Chance): string {
  return chance.once(2)
    ? mutateText(chance.pick(TEXTS), chance)
    : mutateJson(chance.pick([SERVICE, [SERVICE]]), chance);
}

test("whatever a service file holds, it is read, or every problem has a place and one line", async () => {
  await fuzz({ test: 600, soak: 100_000 }, make, (text) => {
    const read = readServices(text, "f.yaml", { ...context, schema });
    if (!read.ok) {
      expect(read.problems.length).toBeGreaterThan(0);
      for (const problem of read.problems)
        expect(formatProblem(problem)).toMatch(/^f\.yaml:[1-9]\d*:[1-9]\d*: [^\n]*[^\n ]$/);
      return;
    }
    // What Watson would say of it is what a directory takes.
    for (const { service, name, version, url, protocol, weight, zone, tags, proxyPort, drainMs } of read.instances)
      readRegistration({
        service,
        name,
        version,
        url,
        protocol,
        weight,
        zone,
        tags,
        proxyPort,
        drainMs,
        state: "live",
      });
  });
});
