import { endpoints } from "@datawire/api";
import { cell } from "../../core/text-table.ts";
import { type RunCommand, flag, optionText } from "../../context/dw.ts";
import { misuse } from "../../context/operands.ts";

/** What was changed, when and by whom, the newest first. */
export const run: RunCommand = async (dw, input) => {
  const limit = optionText(input, "limit") ?? "20";
  if (!/^[1-9]\d{0,3}$/.test(limit)) {
    throw misuse(`Cannot use ${JSON.stringify(limit)} as --limit: wanted a number from 1 to 9999`);
  }
  const { history } = await dw.client.ask(endpoints.history, { query: { limit } });
  if (flag(input, "json")) return dw.output.json(history);
  if (history.length === 0) return dw.output.note("no route was ever changed");
  dw.output.table({
    columns: [{ title: "WHEN" }, { title: "WHO", shrink: 1 }, { title: "CHANGE", shrink: 2 }],
    rows: history.map(({ at, who, verified, action, undone }) => [
      at,
      verified ? who : `${who} (unverified)`,
      undone ? cell(`${action} (undone)`, "faint") : action,
    ]),
  });
};
