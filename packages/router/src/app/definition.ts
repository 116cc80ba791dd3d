import { checkFolder, type DaemonDefinition } from "@datawire/runtime";
import { AMQP_PORT, loadRouterSettings, type RouterSettings } from "../config/settings.ts";
import { countOf, seatsOf } from "../processes/layout.ts";
import { takeSeat } from "../processes/seat.ts";
import { runRouter } from "./router.ts";
import { runSeveral } from "./several.ts";

/** The router, as `runDaemon` runs it. */
export const router: DaemonDefinition<RouterSettings> = {
  name: "router",
  summary: "Routes messages by address over AMQP 1.0, and keeps queues and topics on disk.",
  describe(program) {
    program
      .option("-n, --host <name>", "name that this router is known by (default: localhost)")
      .option("-p, --port <port>", `port of AMQP, on loopback (default: ${AMQP_PORT})`)
      .option("--listen <address>", `HOST:PORT of AMQP (default: 127.0.0.1:${AMQP_PORT})`)
      .option("--tls-listen <address>", "HOST:PORT of AMQP over TLS, where `tls` is set (default: port 5671)")
      .option("--admin <address>", "HOST:PORT of /readyz, /metrics and /v1/status, or off (default: 127.0.0.1:5434)")
      .option("--web <address>", "HOST:PORT of HTTPS and WebSocket for browsers, or off (default: 127.0.0.1:3423)")
      .option("--services-dir <folder>", "folder of service files, whose pages browsers see (default: /etc/datawire.d)")
      .option("--data-dir <folder>", "folder of the log, which has all messages");
  },
  load: loadRouterSettings,
  check: ({ dataDir, dataDirPlace }) => checkFolder("data_dir", dataDir, dataDirPlace),
  async run(context) {
    const part = takeSeat();
    if (part !== null) return runRouter(context, part);
    const { dataDir, processes } = context.settings;
    const seats = await seatsOf(dataDir, countOf(processes));
    return seats.length === 0 ? runRouter(context) : runSeveral(context, seats);
  },
};
