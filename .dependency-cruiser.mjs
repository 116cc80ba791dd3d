import { globSync } from "node:fs";

// Imports point one way: a library knows the libraries named here, daemons know libraries, and dw-cli alone knows daemons
// (their "./main" and index only), apart from the simulation, which no program knows.
const libraries = {
  protocol: [],
  amqp: ["protocol"],
  catalog: ["protocol"],
  api: ["protocol"],
  routing: ["protocol", "catalog", "api"],
  rollout: ["protocol", "api"],
  runtime: ["protocol"],
  http: ["protocol", "runtime"],
  link: ["protocol", "catalog", "api", "runtime"],
  telemetry: ["protocol", "api", "runtime"],
  mdk: ["protocol", "catalog", "api", "routing", "runtime", "link"],
  microserver: ["protocol", "amqp", "runtime", "link", "mdk"],
  "mission-control": ["protocol", "api"],
};

// What decides and does nothing: no module of Node, no clock, no chance. The linter has the same rooms (.oxlintrc.json).
export const pure = [
  "[^/]+/src/core/",
  "(protocol|amqp|catalog|api|routing|rollout)/src/",
  "mdk/src/(session|headers|resolve)/",
  "telemetry/src/(model|otlp|query)/",
  "router/src/(address|selector|ledger|queue|routing)/",
  "directory/src/(model|stats|traces|feed|registry|problems)/",
  "watson/src/(model/|monitor/|files/file-|machine/(host|listening)\\.ts|probes/grpc-health)",
];

// What a browser loads besides: it has clocks of its own.
const browsers = ["mdk/src/browser/"];

// The rooms of a package, the folders of its src: each knows those before it, so no two import each other.
const rooms = {
  protocol: ["words", "addresses", "entities", "wire"],
  amqp: ["types", "frames", "messages", "sasl", "link", "session", "connection"],
  catalog: ["catalog"],
  api: ["shapes", "definitions", "uses"],
  routing: ["split", "routes"],
  rollout: ["checks", "judge", "plan", "progress"],
  runtime: ["time", "net", "errors", "problems", "http1", "files", "log", "config", "daemon"],
  http: ["exchange", "certificates", "server"],
  link: ["core", "credentials", "transport", "client", "session", "follower"],
  telemetry: ["model", "otlp", "query", "intake", "store", "search", "forward", "worker", "service"],
  microserver: ["core", "transport", "links", "outbox", "app", "serving", "connect", "browser"],
  mdk: ["session", "headers", "resolve", "connection", "logs", "app", "web", "calls", "otel", "browser"],
  directory: [
    "model",
    "stats",
    "traces",
    "feed",
    "registry",
    "problems",
    "store",
    "config",
    "changes",
    "rollouts",
    "access",
    "link",
    "mdk",
    "live",
    "console",
    "api",
    "jobs",
    "cli",
    "app",
  ],
  "mission-control": ["core", "data", "parts", "screens", "app"],
  simulation: ["environment", "machines", "invariants", "runs", "messaging"],
  agent: ["admin", "parts", "app"],
  watson: ["model", "monitor", "config", "files", "machine", "probes", "checks", "registration", "app"],
  router: [
    "address",
    "selector",
    "disk",
    "log",
    "ledger",
    "queue",
    "engine",
    "routing",
    "access",
    "config",
    "directory",
    "upstream",
    "processes",
    "wire",
    "services",
    "web",
    "overview",
    "app",
  ],
  "dw-cli": ["core", "context", "doctor", "grammar", "io", "commands", "program", "app"],
  sherlock: [
    "core/parts",
    "core/model",
    "core/planner",
    "core/render",
    "core/transition",
    "core/observe",
    "core/reconcile",
    "config",
    "haproxy",
    "setup",
    "inputs",
    "driver",
    "report",
    "app",
    "behaviour",
  ],
};

// A room that is in no list would be held to no order.
const folders = globSync("packages/*/src/*/", { cwd: import.meta.dirname }).map((path) => path.split(/[\\/]/));
for (const [, name, , folder] of folders) {
  const isOrdered = Object.hasOwn(rooms, name) && rooms[name].some((room) => room.split("/")[0] === folder);
  if (folder !== "testing" && !isOrdered)
    throw new Error(`Cannot order the rooms of ${name}: ${folder} is not in its list`);
}

const floors = Object.entries(libraries).map(([name, known]) => ({
  name: `${name}-knows-only-${known.join("-") || "itself"}`,
  severity: "error",
  from: { path: `^packages/${name}/` },
  to: { path: `^packages/(?!(${[name, ...known].join("|")})/)` },
}));

const upstairs = Object.entries(rooms).flatMap(([name, ordered]) =>
  ordered.slice(0, -1).map((room, i) => ({
    name: `${name}-${room}-knows-no-room-after-it`,
    severity: "error",
    from: { path: `^packages/${name}/src/${room}/`, pathNot: "\\.test\\.ts$" },
    to: { path: `^packages/${name}/src/(${ordered.slice(i + 1).join("|")})/` },
  })),
);

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...floors,
    ...upstairs,
    {
      name: "no-daemon-knows-another",
      severity: "error",
      from: { path: "^packages/(directory|watson|sherlock|router)/" },
      to: { path: "^packages/(directory|watson|sherlock|router|agent|dw-cli)/", pathNot: "^packages/$1/" },
    },
    {
      name: "agent-knows-its-parts-from-outside",
      severity: "error",
      from: { path: "^packages/agent/" },
      to: {
        path: "^packages/(directory|watson|sherlock|router|dw-cli)/",
        pathNot: "^packages/(watson|sherlock)/src/index\\.ts$",
      },
    },
    {
      name: "dw-knows-daemons-from-outside",
      comment: "dw-cli may import the main of a daemon, which starts it, and its index; nothing inside it",
      severity: "error",
      from: { path: "^packages/dw-cli/" },
      to: {
        path: "^packages/(agent|directory|watson|sherlock|router)/",
        pathNot: "^packages/[^/]+/src/(main|index)\\.ts$",
      },
    },
    {
      name: "outside-no-daemon-internals",
      comment: "e2e, bench and examples see what users see, with protocol, runtime and link to help",
      severity: "error",
      from: { path: "^(e2e|bench|examples|packaging|scripts)/" },
      to: {
        path: "^packages/(agent|directory|watson|sherlock|router|dw-cli)/",
        pathNot: "^packages/[^/]+/src/index\\.ts$",
      },
    },
    {
      name: "simulation-knows-testing-entries",
      comment: "the simulation makes daemons of what their testing/index.ts offers, and nobody knows it",
      severity: "error",
      from: { path: "^packages/simulation/" },
      to: {
        path: "^packages/(directory|watson|sherlock|router|dw-cli)/",
        pathNot: "^packages/[^/]+/src/testing/index\\.ts$",
      },
    },
    {
      name: "nobody-knows-the-simulation",
      severity: "error",
      from: { pathNot: "^packages/simulation/" },
      to: { path: "^packages/simulation/" },
    },
    {
      name: "core-is-pure",
      comment: "what decides does no I/O: time and randomness come in as arguments",
      severity: "error",
      from: {
        path: `^packages/(${[...pure, ...browsers].join("|")})`,
        pathNot: "\\.test\\.ts$",
      },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "core-imports-no-io",
      severity: "error",
      from: { path: "^packages/[^/]+/src/core/", pathNot: "\\.test\\.ts$" },
      to: { path: "^packages/[^/]+/src/(io|store)/" },
    },
    {
      name: "no-tests-in-programs",
      severity: "error",
      from: {
        pathNot:
          "\\.(test|bench)\\.ts$|^(e2e|bench|scripts/pictures)/|^packages/simulation/|(^|/)testing/|vitest\\.config",
      },
      to: { path: "\\.test\\.ts$|(^|/)testing(\\.ts$|/)" },
    },
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-unresolved",
      comment: "pages import what a router serves",
      severity: "error",
      from: { pathNot: "^examples/[^/]+/web/" },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/dist/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
