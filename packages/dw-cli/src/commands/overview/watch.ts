import { endpoints } from "@datawire/api";
import { createChangeTeller } from "../../core/table-events.ts";
import { type RunCommand, flag } from "../../context/dw.ts";

/** Every change as it happens, one a line, until Ctrl-C. */
export const run: RunCommand = async (dw, input) => {
  // An unreachable directory is an error at the start; a connection that is lost later is awaited.
  const asked = await dw.client.ask(endpoints.listRoutes);
  const teller = createChangeTeller();
  let first = true;
  await dw.follow((table, { services, position }) => {
    const events = [...services].sort().flatMap((service) => teller.take(service, table.service(service)));
    // What is there already is no change. A directory may begin with an older table and what has changed of it since.
    const isOld = position.epoch === asked.epoch && position.revision <= asked.revision;
    if (!first && !isOld) {
      const at = new Date(dw.clock.nowMs()).toISOString();
      for (const event of events) {
        if (flag(input, "json")) dw.output.jsonLine({ at, ...event });
        else dw.output.styled(["faint", `${at}  `], ["strong", event.subject], ["plain", `  ${event.message}`]);
      }
    }
    first = false;
  });
};
