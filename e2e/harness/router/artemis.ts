import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "@datawire/runtime/testing";
import { eventually } from "../wait.ts";

const execute = promisify(execFile);

/** One collector without threads of its own, and the quick compiler alone: tests share the machine. */
const JAVA_ARGS = [
  "-Xms64M -Xmx512M -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
  "-Dlog4j2.disableJmx=true --add-opens java.base/jdk.internal.misc=ALL-UNNAMED",
].join(" ");

/** The user that it knows; the password is the same. */
export const ARTEMIS_USER = "datawire";

/** Apache ActiveMQ Artemis, from the folder that ARTEMIS_HOME names, with an instance and a port of its own. */
export class Artemis {
  readonly port: number;
  readonly #folder: string;
  #broker: ChildProcess | null = null;

  private constructor(folder: string, port: number) {
    this.port = port;
    this.#folder = folder;
  }

  /** Makes an instance in a folder that is not there yet, and starts it; that takes some seconds. */
  static async start(folder: string): Promise<Artemis> {
    const home = process.env["ARTEMIS_HOME"];
    if (home === undefined) throw new Error("Cannot start Artemis: ARTEMIS_HOME is not set, wanted its folder");
    const [port = 0] = await freePorts(1);
    const user = ["--user", ARTEMIS_USER, "--password", ARTEMIS_USER, "--role", "users", "--require-login"];
    const bare = ["--silent", "--no-web", "--no-autotune", "--nio"];
    await execute(join(home, "bin/artemis"), ["create", folder, ...user, ...bare], { env: environment() });
    writeFileSync(join(folder, "etc/broker.xml"), brokerXml(port));
    const broker = new Artemis(folder, port);
    await broker.start();
    return broker;
  }

  async start(): Promise<void> {
    const command = join(this.#folder, "bin/artemis");
    const broker = spawn(command, ["run"], { env: environment(), detached: true, stdio: "ignore" });
    this.#broker = broker;
    await eventually(async () => {
      if (broker.exitCode !== null) throw new Error(`Artemis ended with ${broker.exitCode}: ${this.log}`);
      const socket = connect(this.port, "127.0.0.1");
      await once(socket, "connect").finally(() => socket.destroy());
    });
  }

  /** What it has logged. */
  get log(): string {
    return readFileSync(join(this.#folder, "log/artemis.log"), "utf8");
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    const broker = this.#broker;
    if (broker?.pid === undefined || broker.exitCode !== null) return;
    const exited = once(broker, "exit");
    process.kill(-broker.pid, "SIGKILL");
    await exited;
    this.#broker = null;
  }
}

function environment(): NodeJS.ProcessEnv {
  const { PATH, LANG, JAVA_HOME } = process.env;
  return { PATH, LANG, JAVA_HOME, JAVA_ARGS };
}

/** As `artemis create` makes it, with one acceptor, for AMQP alone, and addresses that are not made or not given. */
function brokerXml(port: number): string {
  const rights = ["createNonDurableQueue", "deleteNonDurableQueue", "createDurableQueue", "deleteDurableQueue"];
  rights.push("createAddress", "deleteAddress", "consume", "browse", "send");
  const grant = (match: string, role: string): string =>
    `<security-setting match="${match}">${rights.map((type) => `<permission type="${type}" roles="${role}"/>`).join("")}</security-setting>`;
  return `<?xml version="1.0"?>
<configuration xmlns="urn:activemq">
  <core xmlns="urn:activemq:core">
    <name>artemis-${port}</name>
    <journal-type>NIO</journal-type>
    <journal-directory>data/journal</journal-directory>
    <bindings-directory>data/bindings</bindings-directory>
    <paging-directory>data/paging</paging-directory>
    <large-messages-directory>data/large-messages</large-messages-directory>
    <max-disk-usage>100</max-disk-usage>
    <acceptors>
      <acceptor name="amqp">tcp://127.0.0.1:${port}?protocols=AMQP;anycastPrefix=queue://;multicastPrefix=topic://</acceptor>
    </acceptors>
    <security-settings>${grant("#", "users")}${grant("forbidden", "others")}</security-settings>
    <address-settings>
      <address-setting match="#">
        <dead-letter-address>DLQ</dead-letter-address>
        <auto-delete-queues>false</auto-delete-queues>
        <auto-delete-addresses>false</auto-delete-addresses>
      </address-setting>
      <address-setting match="fixed.#">
        <auto-create-queues>false</auto-create-queues>
        <auto-create-addresses>false</auto-create-addresses>
      </address-setting>
    </address-settings>
    <addresses>
      <address name="DLQ"><anycast><queue name="DLQ"/></anycast></address>
      <address name="forbidden"><anycast><queue name="forbidden"/></anycast></address>
    </addresses>
  </core>
</configuration>
`;
}
