import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { BUNDLE_MAIN, bundleProgram } from "../../packaging/bundle.ts";
import { ROOT } from "../../packaging/source.ts";
import { untilAnswered } from "./ask.ts";
import type { Backend, Peer } from "./peer.ts";

/** The agent as packages have it, on a Node that no other process shares; a service file is what makes a service known. */
export const ours: Peer = {
  name: "dw agent",
  programs: ["haproxy"],
  async prepare({ folder, group, port }) {
    for (const program of ["directory", "agent"] as const) await bundleProgram(program, join(folder, program));
    const node = join(folder, "node");
    copyFileSync(process.execPath, node);
    const services = join(folder, "services");
    mkdirSync(services);
    const [listen, traffic, admin] = [await port(), await port(), await port()];
    const address = `//127.0.0.1:${listen}/directory`;
    const at = ["--listen", `127.0.0.1:${listen}`, "--data-dir", join(folder, "data")];
    const registry = group.start(process.execPath, [join(folder, "directory", BUNDLE_MAIN), ...at]);
    await untilAnswered({ origin: `http://127.0.0.1:${listen}`, path: "/readyz" });
    let files = 0;
    const add = (backends: readonly Backend[]): Promise<void> => {
      // Put in its place whole, as a deployment does.
      const written = join(folder, "written");
      writeFileSync(written, JSON.stringify(backends.map(definition)));
      renameSync(written, join(services, `${files++}.yaml`));
      return Promise.resolve();
    };
    return {
      async start(backends) {
        await add(backends);
        const own = ["-d", address, "--services", services, "--host", "127.0.0.1", "--admin", `127.0.0.1:${admin}`];
        const proxy = ["--listen", `127.0.0.1:${traffic}`, "--run-dir", join(folder, "run")];
        const kept = ["--data-dir", join(folder, "agent-data")];
        const agent = group.start(node, [join(folder, "agent", BUNDLE_MAIN), ...own, ...proxy, ...kept]);
        return {
          pids: [agent],
          registry,
          route: (service) => ({ origin: `http://127.0.0.1:${traffic}`, path: `/${service}/` }),
          add,
          async share(service, percent) {
            const dw = join(ROOT, "packages/dw-cli/src/main.ts");
            const what = ["route", "add", "//*", `//${service}(2)`, `${percent}%`];
            await promisify(execFile)(process.execPath, [dw, "-d", address, ...what]);
          },
        };
      },
    };
  },
};

function definition({ service, name, port, isNew }: Backend): object {
  const version = isNew === true ? "2" : "1";
  const url = `http://127.0.0.1:${port}/`;
  return { service: `//${service}`, instance: name, version, url, liveness: { interval: "1s" } };
}
