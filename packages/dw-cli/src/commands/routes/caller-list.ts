import { endpoints } from "@datawire/api";
import { formatAge } from "../../core/span.ts";
import { type RunCommand, flag } from "../../context/dw.ts";

/** The Sherlocks and libraries that are connected. */
export const run: RunCommand = async (dw, input) => {
  const { callers } = await dw.client.ask(endpoints.listCallers);
  if (flag(input, "json")) return dw.output.json(callers);
  if (callers.length === 0) return dw.output.note("no caller is connected");
  dw.output.table({
    columns: [
      { title: "CALLER", shrink: 1 },
      { title: "KIND" },
      { title: "VERSION", shrink: 0 },
      { title: "ZONE", shrink: 2 },
      { title: "REVISION", align: "right" },
      { title: "SINCE" },
    ],
    rows: callers.map(({ name, kind, version, zone, revision, since }) => [
      name,
      kind,
      version,
      zone ?? "-",
      revision === null ? "-" : String(revision),
      formatAge(since, dw.clock.nowMs()),
    ]),
  });
};
