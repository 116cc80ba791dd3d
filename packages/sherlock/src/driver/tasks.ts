import { tryListen } from "@datawire/runtime";
import type { Result, Task, WantedPort, WholeFiles } from "../core/reconcile/state.ts";
import { NOT_CARRIED, type Rename } from "../core/model/spares.ts";
import { commandText } from "../core/render/commands-text.ts";
import { handoverCommands } from "../core/transition/handover.ts";
import { readRunning, readServers } from "../haproxy/read-running.ts";
import { RuntimeApiError } from "../haproxy/runtime-api.ts";
import { clearServerState, saveServerState } from "../haproxy/server-state.ts";
import { explainTaken } from "../setup/ports.ts";
import { newConfigVersion } from "./config-version.ts";
import type { DriverConfig, DriverDeps, DriverObserver } from "./driver-types.ts";

type TaskOf<Name> = Extract<Task, { readonly do: Name }>;

/** Does what has been decided, with the real HAProxy and its files. */
export class Tasks {
  readonly #config: DriverConfig;
  readonly #deps: DriverDeps;

  constructor(config: DriverConfig, deps: DriverDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /** Does one task. @returns what came of it. @throws Error when it cannot be done. */
  async run(task: Task, observer: DriverObserver): Promise<Result> {
    switch (task.do) {
      case "try ports":
        return { event: "ports tried", taken: await takenOf(task.ports) };
      case "validate":
        return this.#validate(task);
      case "launch":
        return this.#launch(task);
      case "command":
        return this.#command(task, observer);
      case "end servers":
        return this.#end(task);
      case "write files":
        return this.#write(task.files);
      case "reload":
        return this.#reload(task.files, observer);
      case "read": {
        const { process, names } = this.#deps;
        const running = await readRunning(process.runtime, this.#config.dir, task.loaded);
        names.note(running.carried);
        return { event: "read", running };
      }
    }
  }

  async #validate({ plan, without }: TaskOf<"validate">): Promise<Result> {
    const configVersion = newConfigVersion(this.#deps.clock);
    const rejection = await this.#deps.configurator.validate(plan, { configVersion, without });
    return rejection === null ? { event: "accepted", configVersion } : { event: "rejected", ...rejection };
  }

  async #launch({ files, from }: TaskOf<"launch">): Promise<Result> {
    const { process, log, clock, names } = this.#deps;
    names.note(files.plan.carried ?? NOT_CARRIED);
    const startedMs = clock.monotonicMs();
    if (from === "validation") await this.#install(files);
    else if (from === "behind") await this.#write(files);
    // Maps of a reload that has not come may have been written.
    else await this.#deps.files.writeMaps(files.plan);
    await clearServerState(this.#config.dir.serverState);
    await process.start(files.configVersion);
    log.info("HAProxy started", { pid: process.pid, ms: Math.round(clock.monotonicMs() - startedMs) });
    return { event: "launched" };
  }

  async #command({ commands, plan }: TaskOf<"command">, observer: DriverObserver): Promise<Result> {
    const { dir, settings } = this.#config;
    const carried = plan.carried ?? NOT_CARRIED;
    this.#deps.names.note(carried);
    const context = {
      backends: plan.structure.backends,
      servers: plan.servers,
      maps: dir.maps,
      caFile: settings.caFile,
      carried,
    };
    const texts = commands.flatMap((command) => commandText(command, context));
    await this.#deps.process.runtime.run(texts);
    observer.commands(texts.length);
    return { event: "commanded" };
  }

  async #end({ cut, remove }: TaskOf<"end servers">): Promise<Result> {
    const { process, names } = this.#deps;
    for (const server of cut) {
      const isSame = (other: string): boolean => serverNamed(other, names.own) === server;
      await process.cutSessions(serverNamed(server, names.inUse), isSame);
    }
    const removed: string[] = [];
    for (const server of remove) if (await this.#delete(serverNamed(server, names.inUse))) removed.push(server);
    return { event: "ended", removed };
  }

  /** Refused while it has connections; then another time. */
  async #delete(server: string): Promise<boolean> {
    try {
      await this.#deps.process.runtime.run([`del server ${server}`]);
      return true;
    } catch (error) {
      if (!(error instanceof RuntimeApiError) || error.code !== "refused") throw error;
      if (/No such server/i.test(error.message)) return true;
      this.#deps.log.debug("Server not deleted yet", { server, reason: error.message });
      return false;
    }
  }

  async #write({ plan, configVersion }: WholeFiles): Promise<Result> {
    const { configurator, files } = this.#deps;
    await files.writeMaps(plan);
    await files.replace(configurator.render(plan, configVersion));
    return { event: "written" };
  }

  async #reload(files: WholeFiles, observer: DriverObserver): Promise<Result> {
    const { process, names } = this.#deps;
    const { dir, handsOver } = this.#config;
    await observer.beforeReload();
    await this.#install(files);
    await saveServerState(dir.serverState, process.runtime, { plan: files.plan, own: names.own });
    await process.reload(files.configVersion);
    names.note(files.plan.carried ?? NOT_CARRIED);
    await process.oldWorkers.retire(handsOver ? handoverCommands(dir.maps) : []);
    return { event: "reloaded", servers: await readServers(process.runtime) };
  }

  /** Puts in place what has been validated, and notes its structure for the next Sherlock. */
  async #install({ configVersion, structure }: WholeFiles): Promise<void> {
    await this.#deps.loaded.add(configVersion, structure);
    await this.#deps.files.install();
  }
}

/** `BACKEND/server` by another name of the backend. */
function serverNamed(id: string, rename: Rename): string {
  const slash = id.indexOf("/");
  return `${rename(id.slice(0, slash))}${id.slice(slash)}`;
}

/** Each port is tried before HAProxy tries it: a reload that meets a taken one refuses all connections for two seconds. */
async function takenOf(ports: readonly WantedPort[]): Promise<Map<string, string>> {
  const taken = new Map<string, string>();
  for (const { host, port } of ports) {
    const error = await tryListen({ host, port });
    if (error !== null) taken.set(`${host}:${port}`, explainTaken(error));
  }
  return taken;
}
