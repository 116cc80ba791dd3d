import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Backend, Peer, World } from "./peer.ts";
import { haproxyHead } from "./haproxy-head.ts";

interface HandMade {
  readonly name: string;
  readonly program: string;
  config(services: Services, share: Share | null, world: { readonly folder: string; readonly port: number }): string;
  args(file: string, folder: string): readonly string[];
  /** What makes it read its file again. */
  readonly signal: NodeJS.Signals;
}

type Services = ReadonlyMap<string, readonly Backend[]>;
interface Share {
  readonly service: string;
  readonly percent: number;
}

/** A proxy whose file an operator writes, and that is told to read it again: no registry, and what it checks by itself. */
function byHand({ name, program, config, args, signal }: HandMade): Peer {
  return {
    name,
    programs: [program],
    async prepare({ folder, group, find, port: free }: World) {
      const port = await free();
      const file = join(folder, `${program}.conf`);
      const services = new Map<string, Backend[]>();
      let share: Share | null = null;
      const write = (): void => writeFileSync(file, config(services, share, { folder, port }));
      const put = (backends: readonly Backend[]): void => {
        for (const one of backends) services.set(one.service, [...(services.get(one.service) ?? []), one]);
        write();
      };
      return {
        start(backends) {
          put(backends);
          const pid = group.start(find(program) as string, args(file, folder));
          return Promise.resolve({
            pids: [pid],
            registry: null,
            route: (service) => ({ origin: `http://127.0.0.1:${port}`, path: "/", host: service }),
            add(more) {
              put(more);
              process.kill(pid, signal);
              return Promise.resolve();
            },
            share(service, percent) {
              share = { service, percent };
              write();
              process.kill(pid, signal);
              return Promise.resolve();
            },
          });
        },
      };
    },
  };
}

const versions = (backends: readonly Backend[]): readonly (readonly [string, readonly Backend[]])[] => [
  ["old", backends.filter(({ isNew }) => isNew !== true)],
  ["new", backends.filter(({ isNew }) => isNew === true)],
];

/** nginx: what fails is passed over for a while, once a request has failed; a share by a hash of the request's id. */
export const nginx = byHand({
  name: "nginx by hand",
  program: "nginx",
  signal: "SIGHUP",
  args: (file, folder) => ["-p", folder, "-c", file],
  config(services, share, { folder, port }) {
    const blocks = [...services].flatMap(([service, backends]) => {
      const upstreams = versions(backends).flatMap(([version, some]) => {
        const servers = some.map((one) => `server 127.0.0.1:${one.port} max_fails=1 fail_timeout=10s;`);
        return some.length === 0 ? [] : [`upstream ${service}-${version} { ${servers.join(" ")} keepalive 16; }`];
      });
      const isShared = share?.service === service;
      const split = isShared
        ? [`split_clients "$request_id" $v { ${share.percent}% ${service}-new; * ${service}-old; }`]
        : [];
      const to = isShared ? "$v" : `${service}-old`;
      const pass = `proxy_pass http://${to}; proxy_http_version 1.1; proxy_set_header Connection "";`;
      return [
        ...upstreams,
        ...split,
        `server { listen 127.0.0.1:${port}; server_name ${service}; location / { ${pass} } }`,
      ];
    });
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (kind) => `${kind}_temp_path ${folder};`,
    );
    return `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1;
events { worker_connections 4096; }
http { access_log off; server_names_hash_max_size 4096; ${temporary.join(" ")}
${blocks.join("\n")} }
`;
  },
});

/** HAProxy: a check a second for each instance; a share by chance. */
export const haproxy = byHand({
  name: "HAProxy by hand",
  program: "haproxy",
  signal: "SIGUSR2",
  args: (file) => ["-W", "-f", file],
  config(services, share, { port }) {
    const rules = [...services.keys()].flatMap((service) => [
      ...(share?.service === service
        ? [`  use_backend ${service}-new if { hdr(host) ${service} } { rand(10000) lt ${share.percent * 100} }`]
        : []),
      `  use_backend ${service}-old if { hdr(host) ${service} }`,
    ]);
    const backends = [...services].flatMap(([service, all]) =>
      versions(all).flatMap(([version, some]) => [
        `backend ${service}-${version}`,
        "  option httpchk GET /liveness_check",
        "  retry-on all-retryable-errors",
        "  option redispatch 1",
        ...some.map((one) => `  server ${one.name} 127.0.0.1:${one.port} check inter 1s fall 2`),
      ]),
    );
    return `global
  maxconn 4096
${haproxyHead(port)}${rules.join("\n")}
${backends.join("\n")}
`;
  },
});
