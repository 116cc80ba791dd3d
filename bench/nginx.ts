import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const BODY = "x".repeat(200);

/** An nginx that answers everything itself, at once. */
export function backendConfig(port: number): string {
  return `server { listen 127.0.0.1:${port} reuseport; keepalive_requests 100000000; location / { return 200 "${BODY}"; } }`;
}

/** Starts an nginx with a folder of its own within `folder`. */
export function startNginx(folder: string, name: string, servers: string): ChildProcess {
  const prefix = join(folder, name);
  mkdirSync(prefix);
  const file = join(prefix, "nginx.conf");
  writeFileSync(
    file,
    `daemon off; pid ${prefix}/pid; error_log ${prefix}/error.log; worker_processes 1;
events { worker_connections 4096; }
http { access_log off; server_names_hash_max_size 4096; client_body_temp_path ${prefix}; proxy_temp_path ${prefix};
fastcgi_temp_path ${prefix}; uwsgi_temp_path ${prefix}; scgi_temp_path ${prefix};
${servers} }`,
  );
  return spawn("nginx", ["-p", prefix, "-c", file], { stdio: "ignore" });
}
