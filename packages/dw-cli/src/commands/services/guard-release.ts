import { endpoints } from "@datawire/api";
import { count } from "../../core/span.ts";
import { cell } from "../../core/text-table.ts";
import { type RunCommand, flag } from "../../context/dw.ts";

/** Lets the leases end that the guard holds. */
export const run: RunCommand = async (dw, input) => {
  const dryRun = flag(input, "dryRun");
  const query = dryRun ? { dryRun: "true" } : {};
  const { released, services = [], ...answer } = await dw.client.ask(endpoints.releaseGuard, { query });
  if (flag(input, "json")) return dw.output.json({ ...answer, released, services });
  if (released === 0) return dw.output.line("The guard holds nothing");
  const words = dryRun ? "Nothing is changed; it would release" : "Released";
  dw.output.line(`${words} ${count(released, "instance")}`);
  if (!dryRun || services.length === 0) return;
  dw.output.table({
    columns: [{ title: "SERVICE" }, { title: "RELEASED", align: "right" }, { title: "LEFT", align: "right" }],
    rows: services.map((one) => [
      one.service,
      String(one.released),
      cell(String(one.left), one.left === 0 ? "bad" : "plain"),
    ]),
  });
};
