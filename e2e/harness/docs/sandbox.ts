import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { freePorts } from "../ports.ts";
import { killProcessesOf } from "../processes.ts";
import type { FileItem } from "./page.ts";

const ROOT = join(import.meta.dirname, "../../..");
const DAEMON_PORTS = [5430, 5431, 5432, 5433];
const FOLDERS = ["/etc/datawire.d", "/etc/datawire", "/var/lib/datawire", "/run/datawire", "/var/backups"];

/**
 * Where the commands of a page run: an empty home, folders instead of those of the system, and free ports instead of
 * those that the page names. Ports have as many digits as the page's, so that columns stay where they are.
 */
export class Sandbox {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #ports: ReadonlyMap<string, string>;

  private constructor(folder: string, ports: ReadonlyMap<string, string>) {
    this.folder = folder;
    this.#ports = ports;
    const home = join(folder, "home");
    this.env = {
      PATH: `${join(ROOT, "node_modules/.bin")}:${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`,
      LANG: "C.UTF-8",
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      HOME: home,
      XDG_CONFIG_HOME: join(home, ".config"),
      XDG_STATE_HOME: join(home, ".local/state"),
      XDG_RUNTIME_DIR: join(folder, "run"),
    };
    mkdirSync(join(folder, "run"), { mode: 0o700 });
    mkdirSync(home);
    writeFileSync(join(home, ".curlrc"), "silent\nshow-error\n"); // as on a terminal, where curl shows no progress
    for (const path of FOLDERS) mkdirSync(join(folder, path), { recursive: true });
    for (const [name, settings] of Object.entries(this.#settings())) this.#writeSettings(name, settings);
  }

  /** @param markdown the page, whose numbers are not taken as ports. */
  static async create(markdown: string, ports: readonly number[]): Promise<Sandbox> {
    const wanted = [...DAEMON_PORTS, ...ports].map(String);
    const free = await freePorts(wanted.length, {
      from: 2_000,
      to: 9_999,
      except: (port) => markdown.includes(String(port)),
    });
    const folder = mkdtempSync(join(tmpdir(), "dstack-docs-"));
    return new Sandbox(folder, new Map(wanted.map((port, i) => [port, String(free[i])])));
  }

  /** A command of the page as it runs here. */
  toHere(text: string): string {
    const moved = FOLDERS.reduce(
      (result, path) =>
        result.replaceAll(new RegExp(`(?<![\\w.])${path.replace(".", "\\.")}(?![\\w.])`, "g"), join(this.folder, path)),
      text.replaceAll(/(?<!:)\/\/localhost\//g, "//localhost:5430/"),
    );
    return moved.replace(/\b\d{4}\b/g, (port) => this.#ports.get(port) ?? port);
  }

  /** What was printed here as the page shows it. */
  fromHere(text: string): string {
    const ports = new Map([...this.#ports].map(([page, here]) => [here, page]));
    return text
      .replaceAll(`${this.folder}/`, "/")
      .replace(/\b\d{4}\b/g, (port) => ports.get(port) ?? port)
      .replaceAll(/(?<!:)\/\/localhost:5430\b/g, "//localhost");
  }

  /** Puts a file of the page where the programs find it; gives where it is. */
  put({ path, content, aside }: Pick<FileItem, "path" | "content" | "aside">): string {
    const here = this.toHere(content);
    const file = join(this.folder, aside ? "aside" : "", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, here, { mode: 0o644 });
    const name = /^\/etc\/datawire\/(\w+)\.yaml$/.exec(path)?.[1];
    const base = this.#settings()[name ?? ""];
    // What a program reads by itself is the page's, on top of what keeps it inside the sandbox.
    if (!aside && name !== undefined && base !== undefined)
      this.#writeSettings(name, { ...base, ...(parse(here) as object) });
    return file;
  }

  /** Ends what still runs here, HAProxy too, and removes the folder. */
  dispose(): void {
    killProcessesOf(this.folder);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #settings(): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
    const at = (port: number): string => `127.0.0.1:${this.toHere(String(port))}`;
    const directory = this.toHere("//localhost/directory");
    return {
      directory: { port: Number(this.toHere("5430")), data_dir: join(this.folder, "/var/lib/datawire/directory") },
      watson: {
        directories: [directory],
        admin: at(5431),
        services: [join(this.folder, "/etc/datawire.d")],
        data_dir: join(this.folder, "/var/lib/datawire/watson"),
        // A check a fifth of a second instead of one every three: readers have time, tests do not.
        defaults: { liveness: { interval: "200ms" } },
      },
      sherlock: {
        directories: [directory],
        listen: at(5432),
        admin: at(5433),
        data_dir: join(this.folder, "/var/lib/datawire/sherlock"),
        haproxy: { run_dir: join(this.folder, "/run/datawire/sherlock") },
      },
      dw: { directory },
    };
  }

  #writeSettings(name: string, settings: object): void {
    const file = join(this.env["XDG_CONFIG_HOME"] as string, "datawire", `${name}.yaml`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, stringify(settings));
  }
}
