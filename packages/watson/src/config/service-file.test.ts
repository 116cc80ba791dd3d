import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { formatProblem } from "@datawire/runtime";
import { expect, test } from "vitest";
import type { ServiceDefinition } from "../model/service-definition.ts";
import { readServices } from "./service-file.ts";
import { createFileSchema, type ServiceContext } from "./service-schema.ts";

const context: ServiceContext = {
  env: { PORT: "8080" },
  host: "vm101.example.com",
  zone: null,
  defaults: {},
  router: { host: "127.0.0.1", port: 5434 },
  directories: ["services", "dir-b:5431"],
  noExec: "allow_exec is false in watson.yaml, wanted true",
  noEnv: null,
};

function read(text: string, over: Partial<ServiceContext> = {}) {
  const whole = { ...context, ...over };
  return readServices(text, "barker.yaml", { ...whole, schema: createFileSchema(whole) });
}

function instances(text: string, over: Partial<ServiceContext> = {}): readonly ServiceDefinition[] {
  const result = read(text, over);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
  return result.instances;
}

function problems(text: string, over: Partial<ServiceContext> = {}): string[] {
  const result = read(text, over);
  return result.ok ? [] : result.problems.map(formatProblem);
}

test("readServices() fills in what is left out", () => {
  expect(instances("service: //barker\nport: 8080")).toEqual([
    {
      key: "barker@vm101.example.com-8080",
      service: "barker",
      name: "vm101.example.com-8080",
      version: null,
      url: "http://vm101.example.com:8080",
      protocol: "http",
      weight: 100,
      zone: null,
      tags: [],
      proxyPort: null,
      drainMs: 10_000,
      tls: { verify: true, serverName: null },
      directory: null,
      checks: [
        expect.objectContaining({
          intervalMs: 3_000,
          timeoutMs: 1_000,
          rise: 1,
          fall: 2,
          recheckMs: 100,
          watch: "port",
          probe: {
            kind: "http",
            url: "http://vm101.example.com:8080/liveness_check",
            method: "GET",
            headers: {},
            status: [[200, 299]],
            body: null,
            tls: { verify: true, serverName: null },
            http2: false,
            asTraffic: true,
          },
        }),
      ],
      source: { file: "barker.yaml", line: 1, column: 10 },
    },
  ]);
});

test("readServices() reads every key of a service", () => {
  const [one] = instances(`
service: //services/barker.internal
version: "1.10"
url: tcp://vm101:8080
protocol: tcp
instance: vm101
liveness: { tcp: "localhost:8080", interval: 500ms, timeout: 2, rise: 2, fall: 4, recheck: 50ms, watch: none }
weight: 7
zone: us-east-1a
tags: [blue]
proxy_port: 6001
drain: 1m
`);
  expect(one).toMatchObject({
    key: "barker.internal@vm101",
    version: "1.10",
    directory: "services:5430",
    weight: 7,
    zone: "us-east-1a",
    tags: ["blue"],
    proxyPort: 6_001,
    drainMs: 60_000,
    checks: [
      {
        probe: { kind: "tcp", host: "localhost", port: 8_080, asTraffic: false },
        intervalMs: 500,
        timeoutMs: 2_000,
        rise: 2,
        fall: 4,
        recheckMs: 50,
        watch: "none",
      },
    ],
  });
});

test.each([
  ["", "http", "http://vm101:80/liveness_check"],
  ["url: http://vm101/base/", "http", "http://vm101/base/liveness_check"],
  ["liveness: { http: /health?deep=1 }", "http", "http://vm101/health?deep=1"],
  ["liveness: { http: 'http://localhost:9/x' }", "http", "http://localhost:9/x"],
])("readServices() checks the right place for %o", (line, _, url) => {
  const text = line.startsWith("url:") ? `service: //b\n${line}` : `service: //b\nurl: http://vm101:80\n${line}`;
  const [check] = instances(text)[0]!.checks;
  expect(check?.probe).toMatchObject({ kind: "http", url: url.replace(":80/", "/") });
});

test.each([
  "2.0",
  "1.10",
  "1e3",
  "0x10",
  "0o17",
  "010",
  "1_000",
  "+1",
  ".5",
  "-.inf",
  ".nan",
  "yes",
  "no",
  "on",
  "off",
  "true",
  "False",
  "2026-11-30",
  "1:30",
  "1234567e8",
  "12345678901234567890123",
  "0.10000000000000000001",
])("readServices() takes %s as it was typed, wherever text is wanted", (typed) => {
  const isVersion = /^[A-Za-z0-9._+-]+$/.test(typed);
  const isName = /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$/.test(typed);
  const lines = [
    "service: //b",
    "url: http://h:1",
    ...(isVersion ? [`version: ${typed}`] : []),
    ...(isName ? [`instance: ${typed}`, `zone: ${typed}`] : []),
    `tags: [${typed}, &t ${typed}, *t, !!str ${typed}]`,
    `liveness: { exec: [/bin/check, ${typed}] }`,
  ];
  for (const text of [lines.join("\n"), ["%YAML 1.1", "---", ...lines].join("\n")]) {
    const [one] = instances(text, { noExec: null });
    expect(one).toMatchObject({
      version: isVersion ? typed : null,
      ...(isName ? { name: typed, zone: typed } : {}),
      tags: [typed, typed, typed, typed],
      checks: [{ probe: { command: ["/bin/check", typed] } }],
    });
  }
  const key = typed.replace(":", "");
  const body = typed.startsWith("+") ? `x${typed}` : typed; // nothing to repeat
  const checks = `{ headers: { X: ${typed}, ${key}: x }, expect: { body: ${body} } }`;
  const [http] = instances(`service: //b\nport: 80\nliveness: ${checks}`);
  expect(http?.checks[0]?.probe).toMatchObject({ headers: { X: typed, [key]: "x" }, body });
});

test("readServices() takes a version as it was typed in JSON, and in a variable", () => {
  expect(instances('[{ "service": "//b", "version": 2.0, "port": 80 }]')[0]?.version).toBe("2.0");
  expect(instances("service: //b\nversion: ${V}\nport: ${PORT}", { env: { V: "1.10", PORT: "80" } })[0]).toMatchObject({
    version: "1.10",
    url: "http://vm101.example.com:80",
  });
});

test.each(["[]", "# service: //b\n", "---\n", "null"])("readServices() finds no service in %o", (text) => {
  expect(read(text)).toEqual({ ok: true, instances: [] });
});

test("readServices() merges mappings, the entry's own keys first", () => {
  const text = [
    "- &a { service: //a, url: 'http://h:1', version: 1.0, tags: [x] }",
    "- { <<: *a, url: 'http://h:2' }",
    "- { <<: [{ version: 3.0 }, *a], url: 'http://h:3' }",
  ].join("\n");
  expect(instances(text)).toMatchObject([
    { service: "a", url: "http://h:1", version: "1.0", tags: ["x"] },
    { service: "a", url: "http://h:2", version: "1.0", tags: ["x"] },
    { service: "a", url: "http://h:3", version: "3.0", tags: ["x"] },
  ]);
  const wrong = ["- &a { service: //a, port: 70000 }", "- { <<: *a, version: '1' }"].join("\n");
  expect(problems(wrong).map((one) => one.split(": ", 1)[0])).toEqual(["barker.yaml:1:28", "barker.yaml:1:28"]);
});

test("readServices() takes as many aliases as there are services", () => {
  const more = Array.from(
    { length: 2_000 },
    (_, i) => `- { service: //b, url: "http://h:${i + 2}", liveness: *check }`,
  );
  const text = ["- { service: //b, url: 'http://h:1', liveness: &check { http: /health } }", ...more].join("\n");
  expect(instances(text)).toHaveLength(2_001);
});

test.each([
  ["url: http://u:hunter2@h:80", "it holds a user name or a password"],
  ["url: http://h:80\nliveness: { http: 'http://probe:hunter2@h:1/health' }", "it holds a user name or a password"],
  ["url: http://h:80\nliveness: { http: 'http://probe:hun/hunter2@h:1/health' }", "malformed"],
  ["url: http://h:80\nliveness: { tcp: 'u:hunter2@h:1' }", "it holds a user name or a password"],
  ["url: http://h:80\nliveness: { grpc: 'grpcs://u:hunter2@h:1' }", "it holds a user name or a password"],
  ['url: http://h:80\nliveness: { headers: { Authorization: "Bearer hunter2\\n" } }', "wanted text of one line"],
  ["url: http://h:80\nliveness: { http: 'health?token=hunter2' }", "it begins with neither / nor http://"],
  ["url: http://h:80\nversion: dw1_hunter2", null],
  ["url: http://h:80\nversion: 'dw1_hunter2 '", "it must be"],
])("readServices() tells why it refuses %o, and no secret", (text, why) => {
  const found = problems(`service: //b\n${text}`).join("\n");
  if (why !== null) expect(found).toContain(why);
  expect(found).not.toContain("hunter2");
});

test("readServices() never shows what came from the environment", () => {
  const env = { SECRET: "Hunter2!", KIND: "zzz9" };
  const found = problems(
    "service: //${SECRET}\nversion: ${SECRET}\nurl: http://${SECRET}\nport: ${KIND}\nzone: x-${SECRET}\nweight: ${KIND}",
    { env },
  ).join("\n");
  expect(found).not.toMatch(/hunter2|zzz9/i);
  expect(found).toContain('service is "//${SECRET}": wanted the address of a service');
  expect(found).toContain('port is "${KIND}": wanted a port');
});

test.each(["DATAWIRE_TOKEN", "NOTIFY_SOCKET", "WATCHDOG_USEC"])(
  "readServices() gives no service Watson's %s",
  (name) => {
    const env = { [name]: "hunter2" };
    const found = problems(`service: //b-\${${name}}\nport: 80\ntags: ["\${${name}}"]`, { env });
    expect(found).toEqual([
      `barker.yaml:1:10: the variable ${name} cannot be used here: it is Watson's own, and no service's`,
      `barker.yaml:3:8: the variable ${name} cannot be used here: it is Watson's own, and no service's`,
    ]);
  },
);

test("readServices() gives nothing of the environment to whoever may not run programs as Watson", () => {
  const noEnv = "it belongs to user 65534, wanted root";
  expect(problems('service: //b\nport: ${PORT}\ntags: ["$${PORT}"]', { noEnv })).toEqual([
    `barker.yaml:2:7: the variable PORT cannot be used here: ${noEnv}`,
  ]);
});

test.each([
  ["(?i)ok", "JavaScript takes no flags within it"],
  ["(?P<a>b)", "JavaScript writes named groups as (?<name>…)"],
  ["a)", "unmatched ')'"],
  ["\\Aok\\z", "JavaScript writes ^ and $"],
])("readServices() tells why %o is no regular expression", (body, why) => {
  expect(problems(`service: //b\nport: 80\nliveness: { expect: { body: '${body}' } }`).join()).toContain(why);
});

test("readServices() takes the default check from the protocol", () => {
  const kinds = (text: string): unknown => instances(`service: //b\n${text}`)[0]!.checks[0]!.probe;
  expect(kinds("protocol: tcp\nport: 5432")).toMatchObject({ kind: "tcp", host: "vm101.example.com", port: 5_432 });
  expect(kinds("protocol: h2\nport: 9090")).toMatchObject({ kind: "http", http2: true });
});

test("readServices() reads each kind of check, in a list too", () => {
  const [one] = instances(
    `
service: //b
port: 80
liveness:
  - { http: /x, method: OPTIONS, headers: { Host: b, X: 1 }, expect: { status: [200-299, 304], body: "ok" }, tls_verify: false }
  - { grpc: "grpcs://h:1", grpc_service: s }
  - { exec: [/bin/check, "a b"] }
  - { ttl: 10s }
`,
    { noExec: null },
  );
  expect(one?.checks.map(({ probe }) => probe)).toMatchObject([
    {
      kind: "http",
      method: "OPTIONS",
      headers: { Host: "b", X: "1" },
      status: [
        [200, 299],
        [304, 304],
      ],
      body: "ok",
      tls: { verify: false, serverName: null },
    },
    { kind: "grpc", host: "h", port: 1, secure: true, tls: { verify: true, serverName: null }, service: "s" },
    { kind: "exec", command: ["/bin/check", "a b"] },
    { kind: "ttl", ttlMs: 10_000 },
  ]);
});

test.each([
  ["", { host: "h", port: 5_673, secure: false, address: null }],
  ["liveness: { interval: 1s }", { address: null }],
  ["liveness: { amqp: open }", { address: null }],
  ["liveness: { amqp: attach }", { address: "b/c" }],
])("readServices() checks a service of amqp by its own protocol: %j", (liveness, probe) => {
  const [one] = instances(`service: //barker\nprotocol: amqp\nurl: amqp://h:5673/b/c\n${liveness}`);
  expect(one?.checks[0]?.probe).toMatchObject({ kind: "amqp", asTraffic: true, ...probe });
});

test("readServices() attaches to the address of the service where its URL has none, and knows its ports", () => {
  const [plain] = instances("service: //barker\nprotocol: amqp\nport: 5673\nliveness: { amqp: attach }", {
    host: "vm101",
  });
  expect(plain).toMatchObject({ url: "amqp://vm101:5673", protocol: "amqp" });
  expect(plain?.checks[0]?.probe).toMatchObject({ kind: "amqp", address: "barker" });
  const [secure] = instances(
    "service: //barker\nprotocol: amqp\nurl: amqps://h\ntls: { server_name: b.example.com }\nliveness: { tls_verify: false }",
  );
  expect(secure?.checks[0]?.probe).toMatchObject({
    port: 5_671,
    secure: true,
    tls: { verify: false, serverName: "b.example.com" },
  });
});

test.each([
  ["service: //b\nport: 80\nliveness: { amqp: open }", "the service speaks http; wanted protocol: amqp"],
  ["service: //b\nprotocol: amqp\nurl: http://h", "a service with protocol amqp has a URL like amqp://"],
  ["service: //b\nprotocol: amqp\nport: 1\nliveness: { http: /x }", "an instance that speaks amqp: wanted a URL"],
  ["service: //b\nprotocol: amqp\nport: 1\nliveness: { method: HEAD }", "the service is of amqp"],
  ["service: //b\nprotocol: amqp\nport: 1\nliveness: { amqp: close }", "wanted"],
  ["service: //b\nprotocol: amqp\nport: 1\nproxy_port: 2", "for protocol: tcp only"],
  ["service: //b\nprotocol: amqp", "wanted a URL such as http://HOST:8080/base, or port: 8080 instead"],
  [
    "service: //b\nliveness: { consumers: 1 }",
    "Cannot count consumers: the service is not of AMQP; wanted protocol: amqp",
  ],
  ["service: //b\nprotocol: amqp\nurl: amqp://h\nliveness: [{ consumers: 1 }]", "no such key beside `consumers`"],
  ["service: //b\nprotocol: amqp\nliveness: { consumers: 0 }", "wanted a whole number from 1 to"],
  ["service: //b\nprotocol: amqp\nliveness: { consumers: 1, watch: port }", "no meaning for a check of kind consumers"],
])("readServices() refuses %j", (text, why) => {
  expect(problems(text).join("\n")).toContain(why);
});

test("readServices() counts consumers at the router of this machine, where a service has no URL of its own", () => {
  const router = { host: "10.0.0.5", port: 5_434 };
  const text = "service: //barker(2)\nprotocol: amqp\nliveness: { consumers: 2, interval: 1s }";
  const [one] = instances(text, { router });
  expect(one).toMatchObject({
    url: "amqp://vm101.example.com:5672/barker",
    name: "vm101.example.com-5672",
    version: "2",
  });
  // A router may take AMQP elsewhere.
  const [other] = instances("service: //barker\nprotocol: amqp\nport: 5673\nliveness: { consumers: 1 }");
  expect(other).toMatchObject({ url: "amqp://vm101.example.com:5673/barker", name: "vm101.example.com-5673" });
  expect(one?.checks[0]).toMatchObject({
    probe: { kind: "consumers", address: "barker", consumers: 2, ...router },
    intervalMs: 1_000,
    watch: "none",
  });
});

test("readServices() takes defaults from the settings, and the file's own before them", () => {
  const defaults = { interval: 1_000, fall: 5 };
  const [one] = instances("service: //b\nport: 80\nliveness: { fall: 1 }", { defaults });
  expect(one?.checks[0]).toMatchObject({ intervalMs: 1_000, fall: 1, timeoutMs: 1_000 });
});

test("readServices() takes a version or an instance from the address", () => {
  expect(instances("service: //b(2)\nport: 80")[0]).toMatchObject({ version: "2" });
  expect(instances("service: //b@vm9\nport: 80")[0]).toMatchObject({ name: "vm9" });
});

test("readServices() makes a name of any host", () => {
  expect(instances("service: //b\nport: 80", { host: "fe80::1" })[0]?.name).toBe("fe80--1-80");
  expect(instances("service: //b\nurl: http://[::1]:80")[0]?.name).toBe("1-80");
});

test.each([
  ["", ["1:1: the file is empty"]],
  ["x", ['1:1: the document is "x": wanted a mapping of keys to values, or a list']],
  [
    "service: barker\nverison: 2\nurl: http://vm101:99999/\nliveness: { intervall: 3, rise: 0 }",
    [
      '1:10: service: Cannot read address "barker": an address begins with //, as in //barker',
      '3:6: url: Cannot use "http://vm101:99999/" as the URL of an instance: port 99999 is not from 1 to 65535',
      "4:33: liveness.rise is 0: wanted a whole number from 1 to 100",
      "4:13: liveness.intervall is not a known key: did you mean interval?",
      "2:1: verison is not a known key: did you mean version?",
    ],
  ],
  [
    "service: //b\nversion: null\nport: 80",
    ["2:10: version is null: without quotes that means no value; wanted a version"],
  ],
  [
    "service: //other/b\nport: 80",
    ['1:10: service: Cannot read address "//other/b": "other" is none of the directories'],
  ],
  ["service: //b", ["url is missing: wanted a URL such as http://HOST:8080/base, or port: 8080 instead"]],
  ["service: //b\nport: 80\nurl: http://x", ["2:7: port is 80: wanted either url or port"]],
  [
    "- { service: //b, url: 'http://x:1', protocol: tcp }\n- { service: //c, url: 'http://x:2', weight: 0 }",
    [
      '1:24: [0].url: Cannot use "http://x:1" as the URL of an instance: a service with protocol tcp has a URL like tcp://HOST:PORT',
      "2:46: [1].weight is 0: wanted a whole number from 1 to 256",
    ],
  ],
  [
    "service: //b\nurl: tcp://x:1",
    ['2:6: url: Cannot use "tcp://x:1" as the URL of an instance: a service with protocol http'],
  ],
  ["service: //b\nport: 80\nproxy_port: 6001", ["3:13: proxy_port is 6001: wanted no such key"]],
  ["service: //b\nport: 80\nliveness: { http: /x, ttl: 3s }", ['3:28: liveness.ttl is "3s": wanted one kind of check']],
  [
    "service: //b\nport: 80\nliveness: { ttl: 3s, interval: 3s }",
    ['3:32: liveness.interval is "3s": wanted no such key'],
  ],
  [
    "service: //b\nport: 80\nliveness: { exec: [/bin/true] }",
    ["3:19: liveness.exec: Cannot run a program as a check: allow_exec is false"],
  ],
  [
    "service: //b\nport: 80\nliveness: { expect: { status: [2xx], body: '(' } }",
    [
      'liveness.expect.status[0] is "2xx": it is no number and no range; wanted a status',
      'liveness.expect.body is "(": unterminated group; wanted a regular expression',
    ],
  ],
  [
    "service: //b@one\ninstance: two\nport: 80",
    ['2:11: instance: Cannot use "two" as the instance: the address says "one"'],
  ],
  [
    "service: //b\nprotocol: tcp\nport: 80\nliveness: { expect: { body: ok } }",
    ["liveness.expect: Cannot check so: the service is of tcp, whose check is a connection"],
  ],
  ["service: //b\nport: 80\nliveness: { method: HEAD, expect: { body: x } }", ["an answer to HEAD has no body"]],
  ["service: //b\nport: 80\nliveness: { method: CONNECT }", ['liveness.method is "CONNECT": wanted an HTTP method']],
  [
    "service: //b\nport: 80\nliveness: { headers: { Content-Length: 3 } }",
    [
      "liveness.headers.Content-Length cannot be a key here: wanted the name of an HTTP header, and none of the connection",
    ],
  ],
  ["service: //b(1)\nversion: '2'\nport: 80", ['2:10: version: Cannot use "2" as the version: the address says "1"']],
  [
    "protocol: tcp\nservice: //b\nport: 80\nliveness: { http: /x }",
    ['liveness.http: Cannot check the path "/x" of an instance that speaks tcp'],
  ],
  [
    "- service: //b\n  port: 80\n- service: //b\n  port: 80",
    ["3:12: Cannot register //b@vm101.example.com-80 twice: line 1"],
  ],
  ["service: //b\nport: ${NOPE}", ["2:7: the variable NOPE is not set in the environment"]],
  ["service: //b\n\tport: 80", ["barker.yaml:2:"]],
])("readServices() reports all that is wrong with %o", (text, expected) => {
  const found = problems(text);
  for (const part of expected) expect(found.join("\n")).toContain(part);
});

test("the samples of service files are right", () => {
  const folder = join(import.meta.dirname, "../../../../etc/datawire.d");
  const names = readdirSync(folder);
  expect(names).toContain("barker.yaml");
  for (const name of names) expect(problems(readFileSync(join(folder, name), "utf8"))).toEqual([]);
});

test.each([
  ["https://h:8443", "", { verify: true, serverName: null }, true],
  ["https://h:8443", "tls: { verify: false }", { verify: false, serverName: null }, true],
  ["https://h:8443", "tls: { server_name: B.example }", { verify: true, serverName: "b.example" }, true],
  [
    "https://h:8443",
    "tls: { verify: false }\nliveness: { tls_verify: true }",
    { verify: true, serverName: null },
    true,
  ],
  ["https://h:8443", "liveness: { tls_verify: false }", { verify: false, serverName: null }, true],
  [
    "https://h:8443",
    "tls: { verify: false }\nliveness: { http: 'https://h:8443/x' }",
    { verify: false, serverName: null },
    true,
  ],
  [
    "https://h:8443",
    "tls: { server_name: b }\nliveness: { http: 'https://h:9/x' }",
    { verify: true, serverName: null },
    false,
  ],
  [
    "https://h",
    "tls: { verify: false }\nliveness: { http: 'https://h:443/x' }",
    { verify: false, serverName: null },
    true,
  ],
])("readServices() %s with %j is checked by %j, as traffic: %s", (url, more, tls, asTraffic) => {
  const [one] = instances(`service: //b\nurl: ${url}\n${more}`);
  expect(one?.checks[0]?.probe).toMatchObject({ tls, asTraffic });
});

test("readServices() takes tls for https alone, and names of hosts", () => {
  expect(problems("service: //b\nport: 80\ntls: { verify: false }")).toMatchObject([expect.stringContaining("https")]);
  expect(problems("service: //b\nurl: https://h\ntls: { server_name: '10.0.0.1' }")).toMatchObject([
    expect.stringContaining("a host name"),
  ]);
});
