import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { untilAnswered } from "./ask.ts";
import type { Backend, Peer, Route, World } from "./peer.ts";
import { haproxyHead } from "./haproxy-head.ts";

interface Follower {
  readonly name: string;
  readonly program: string;
  /** Other programs that it runs. */
  readonly more?: readonly string[];
  /** Tags that make an instance reachable. */
  tags(backend: Backend): readonly string[];
  /** Starts it; gives the ids of its processes. */
  start(consul: string, port: number, world: World): Promise<readonly number[]>;
  route(service: string, port: number): Route;
}

/** Consul's one agent, registry and checks at once (`-dev`), and a proxy that follows it. */
function withConsul({ name, program, more = [], tags, start, route }: Follower): Peer {
  return {
    name,
    programs: ["consul", program, ...more],
    async prepare(world) {
      const { folder, group, find, port: free } = world;
      const [http, dns, grpc, serf, wan, server, port] = await Promise.all(Array.from({ length: 7 }, free));
      const consul = `127.0.0.1:${http}`;
      const file = join(folder, "consul.json");
      const ports = { http, dns, grpc, grpc_tls: -1, serf_lan: serf, serf_wan: wan, server };
      writeFileSync(file, JSON.stringify({ ports, bind_addr: "127.0.0.1", log_level: "err" }));
      const add = async (backends: readonly Backend[]): Promise<void> => {
        for (const backend of backends) await register(consul, backend, tags(backend));
      };
      return {
        async start(backends) {
          const agent = group.start(find("consul") as string, ["agent", "-dev", "-config-file", file]);
          await untilAnswered({ origin: `http://${consul}`, path: "/v1/status/leader" });
          await add(backends);
          const pids = await start(consul, port as number, world);
          return { pids: [agent, ...pids], registry: agent, route: (service) => route(service, port as number), add };
        },
      };
    },
  };
}

async function register(consul: string, { service, name, port }: Backend, tags: readonly string[]): Promise<void> {
  const check = { HTTP: `http://127.0.0.1:${port}/liveness_check`, Interval: "1s", Timeout: "1s", Status: "passing" };
  const body = { ID: name, Name: service, Address: "127.0.0.1", Port: port, Tags: tags, Check: check };
  const response = await fetch(`http://${consul}/v1/agent/service/register`, {
    method: "PUT",
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`Cannot register ${name}: ${await response.text()}`);
}

/** fabio, which reads its routes from tags. */
export const fabio = withConsul({
  name: "Consul with fabio",
  program: "fabio",
  tags: ({ service }) => [`urlprefix-/${service}`],
  async start(consul, port, { folder, group, find, port: free }) {
    const file = join(folder, "fabio.properties");
    const lines = [`proxy.addr = 127.0.0.1:${port}`, `ui.addr = 127.0.0.1:${await free()}`, "log.level = ERROR"];
    writeFileSync(
      file,
      [...lines, `registry.consul.addr = ${consul}`, "registry.consul.register.enabled = false", ""].join("\n"),
    );
    return [group.start(find("fabio") as string, ["-cfg", file])];
  },
  route: (service, port) => ({ origin: `http://127.0.0.1:${port}`, path: `/${service}/` }),
});

/** consul-template, which writes HAProxy's file and has it reload. */
export const template = withConsul({
  name: "Consul with consul-template and HAProxy",
  program: "consul-template",
  more: ["haproxy"],
  tags: () => [],
  async start(consul, port, { folder, group, find }) {
    const [source, file] = [join(folder, "haproxy.ctmpl"), join(folder, "haproxy.cfg")];
    writeFileSync(
      source,
      `${haproxyHead(port)}  use_backend %[req.hdr(host)]
{{ range services }}backend {{ .Name }}
{{ range service .Name }}  server {{ .ID }} {{ .Address }}:{{ .Port }}
{{ end }}{{ end }}`,
    );
    // One that consul-template put into the background would not be counted, and would stay. It is lost to a signal that
    // comes before it listens.
    writeFileSync(file, `${haproxyHead(port)}  http-request return status 200\n`);
    const haproxy = group.start(find("haproxy") as string, ["-W", "-f", file]);
    await untilAnswered({ origin: `http://127.0.0.1:${port}`, path: "/" });
    const args = ["-consul-addr", consul, "-template", `${source}:${file}:kill -USR2 ${haproxy}`, "-log-level", "err"];
    return [group.start(find("consul-template") as string, args), haproxy];
  },
  route: (service, port) => ({ origin: `http://127.0.0.1:${port}`, path: "/", host: service }),
});

/** Traefik over Consul's catalog. */
export const traefik = withConsul({
  name: "Consul with Traefik",
  program: "traefik",
  tags: () => ["traefik.enable=true"],
  start(consul, port, { group, find }) {
    const catalog = "--providers.consulcatalog";
    const options = [
      catalog,
      `${catalog}.watch=true`,
      `${catalog}.endpoint.address=${consul}`,
      `${catalog}.defaultRule=Host(\`{{ .Name }}\`)`,
      `--entrypoints.web.address=127.0.0.1:${port}`,
      "--global.checknewversion=false",
      "--global.sendanonymoususage=false",
      "--log.level=ERROR",
    ];
    return Promise.resolve([group.start(find("traefik") as string, options)]);
  },
  route: (service, port) => ({ origin: `http://127.0.0.1:${port}`, path: "/", host: service }),
});
