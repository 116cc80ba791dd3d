import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "@datawire/runtime/testing";
import { eventually } from "../wait.ts";

/** Debian's own script in the path lets nobody but root and a user of its own start a broker; this one anybody. */
const SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server";

const execute = promisify(execFile);

/** How a broker runs. */
export interface RabbitmqOptions {
  /** Lines of rabbitmq.conf. */
  readonly settings: string;
  /** Flags of Erlang. */
  readonly flags: string;
  /** What its port over TLS shows, PEM; left out where it has none. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** One scheduler that does not spin: tests share the machine. */
export const SHARING: RabbitmqOptions = { settings: "", flags: "+S 1 +sbwt none" };

/** RabbitMQ as the system's package has it, with its plugin for AMQP 1.0, in a folder and on ports of its own. */
export class Rabbitmq {
  readonly port: number;
  readonly tlsPort: number;
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #names: ChildProcess;
  #broker: ChildProcess | null = null;

  private constructor(
    folder: string,
    [port, tlsPort, namesPort, nodePort]: readonly [number, number, number, number],
    { settings, flags, tls }: RabbitmqOptions,
  ) {
    this.port = port;
    this.tlsPort = tlsPort;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const secure =
      tls === undefined
        ? ""
        : `listeners.ssl.1 = 127.0.0.1:${tlsPort}\nssl_options.certfile = ${file("cert.pem", tls.cert)}\nssl_options.keyfile = ${file("key.pem", tls.key)}\n`;
    const { PATH, LANG } = process.env;
    this.#env = {
      PATH,
      LANG,
      HOME: folder,
      ERL_EPMD_PORT: String(namesPort),
      ERL_EPMD_ADDRESS: "127.0.0.1",
      RABBITMQ_NODENAME: `dw${port}@localhost`,
      RABBITMQ_DIST_PORT: String(nodePort),
      RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
      RABBITMQ_LOG_BASE: join(folder, "log"),
      RABBITMQ_PID_FILE: join(folder, "pid"),
      RABBITMQ_CONF_ENV_FILE: join(folder, "none"),
      RABBITMQ_ENABLED_PLUGINS_FILE: file("plugins", "[rabbitmq_amqp1_0].\n"),
      RABBITMQ_CONFIG_FILE: file(
        "rabbitmq.conf",
        `listeners.tcp.1 = 127.0.0.1:${port}\nlog.file = false\nlog.console = true\nlog.console.level = error\n${secure}${settings}\n`,
      ),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-kernel inet_dist_use_interface {127,0,0,1} ${flags}`,
    };
    this.#names = spawn("epmd", ["-port", String(namesPort)], { env: this.#env, stdio: "ignore" });
  }

  /** Starts a broker; it takes some seconds. */
  static async start(folder: string, options: RabbitmqOptions = SHARING): Promise<Rabbitmq> {
    const ports = (await freePorts(4)) as [number, number, number, number];
    const broker = new Rabbitmq(folder, ports, options);
    // A broker that finds no server of names starts one, which nobody ends.
    await eventually(() => answersAt(ports[2]));
    await broker.start();
    return broker;
  }

  async start(): Promise<void> {
    const command = existsSync(SERVER) ? SERVER : "rabbitmq-server";
    // A group of its own: the script starts several processes.
    const broker = spawn(command, [], { env: this.#env, cwd: this.#folder, detached: true, stdio: "ignore" });
    this.#broker = broker;
    await eventually(async () => {
      if (broker.exitCode !== null) throw new Error(`RabbitMQ ended with ${broker.exitCode}`);
      await answersAt(this.port);
    });
  }

  /** The process that does its work. */
  async pid(): Promise<number> {
    const { stdout } = await execute("pgrep", ["-P", String(this.#broker?.pid ?? 0), "beam"]);
    return Number(stdout.trim());
  }

  /** Has it evaluate an expression of Erlang. */
  async evaluate(expression: string): Promise<void> {
    await execute("/usr/lib/rabbitmq/bin/rabbitmqctl", ["eval", expression], { env: this.#env });
  }

  /** Ends it at once, with all its processes. */
  async kill(): Promise<void> {
    const broker = this.#broker;
    if (broker?.pid === undefined) return;
    const exited = once(broker, "exit");
    process.kill(-broker.pid, "SIGKILL");
    await exited;
    this.#broker = null;
    // The script is gone before what listens is, which would be taken for the next one.
    await eventually(async () => {
      const listens = await answersAt(this.port).then(
        () => true,
        () => false,
      );
      if (listens) throw new Error("RabbitMQ still listens after it was killed");
    });
  }

  async stop(): Promise<void> {
    await this.kill();
    this.#names.kill("SIGKILL");
  }
}

/** Rejects where nobody listens. */
async function answersAt(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect").finally(() => socket.destroy());
}
