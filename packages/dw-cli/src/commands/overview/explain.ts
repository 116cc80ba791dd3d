import { endpoints, type ExplainedSessions, type Explanation } from "@datawire/api";
import { listShort, quoteShort } from "@datawire/protocol";
import { formatShare } from "../../core/span.ts";
import { cell } from "../../core/text-table.ts";
import { type RunCommand, flag, operand, optionList } from "../../context/dw.ts";
import type { Output } from "../../context/output.ts";
import { misuse, readCaller, readService } from "../../context/operands.ts";

/** Where a request of a caller to a service would go, and why the others get none. */
export const run: RunCommand = async (dw, input) => {
  const service = readService(operand(input, 1));
  const caller = readCaller(operand(input, 0));
  const typedPath = input.operands[2];
  if (typedPath !== undefined && /^[a-z]+:\/\//i.test(typedPath))
    throw misuse(
      `Cannot use ${quoteShort(typedPath)} as PATH: wanted what follows /${service} in a URL, such as /orders?beta=1`,
    );
  const path = typedPath === undefined || typedPath.startsWith("/") ? typedPath : `/${typedPath}`;
  const headers = optionList(input, "header")?.join("\n");
  const { explanation } = await dw.client.ask(endpoints.explain, { query: { caller, service, path, headers } });
  if (flag(input, "json")) return dw.output.json(explanation);
  print(dw.output, explanation);
};

function describeSessions({ cookie, instances }: ExplainedSessions): string {
  if (instances.length === 0) return `Sessions, by the cookie ${cookie}: none can live anywhere now`;
  const names = listShort(instances.map(({ name }) => name));
  return `Sessions go first, by the cookie ${cookie}, to ${names}; the shares are those of new ones`;
}

function print(output: Output, { caller, service, shares, excluded, findings = [], sessions }: Explanation): void {
  const who = caller === "*" ? "any caller" : caller;
  if (shares.length === 0) output.styled(["bad", `${who} to ${service}: nothing is live, so requests get 503`]);
  else {
    output.styled(["strong", `${who} to ${service}`]);
    output.table({
      columns: [
        { title: "SHARE", align: "right" },
        { title: "TARGET", shrink: 3 },
        { title: "URL", shrink: 2 },
        { title: "WHY", shrink: 1 },
      ],
      rows: shares.flatMap((share) => [
        [cell(formatShare(share.percent), "strong"), share.target, "", share.reason],
        ...share.instances.map(({ name, url, percent }) => [formatShare(percent), `  ${name}`, url, ""]),
      ]),
    });
  }
  if (sessions !== undefined) output.line(describeSessions(sessions));
  if (excluded.length > 0) {
    output.line();
    output.table({
      columns: [
        { title: "GETS NOTHING", shrink: 2 },
        { title: "WHY", shrink: 1 },
      ],
      rows: excluded.map(({ name, reason }) => [name, reason]),
    });
  }
  const inVain = findings.filter(({ name }) => !excluded.some((one) => one.name === name));
  if (inVain.length === 0) return;
  output.line();
  output.table({
    columns: [
      { title: "ASKED IN VAIN", shrink: 2 },
      { title: "BY", shrink: 1 },
      { title: "WHY", shrink: 1 },
    ],
    rows: inVain.map(({ name, caller: by, message }) => [name, by, message]),
  });
}
