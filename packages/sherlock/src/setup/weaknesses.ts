import type { ReportedProblem } from "@datawire/protocol";
import type { Logger, ProblemBoard } from "@datawire/runtime";
import { lacksOf, takesInstances } from "../core/model/haproxy-version.ts";
import { type Proxy, tellsLatencies, tellsReasons, tellsSpans } from "./proxy.ts";

interface Weak {
  readonly proxy: Pick<Proxy, "binary" | "template" | "settings">;
  /** What the template makes of no table. */
  readonly rendered: string;
  readonly runtimeSocket: boolean;
  readonly percentiles: boolean;
  readonly spans: boolean;
  readonly explain: boolean;
}

const TEMPLATE_REMEDY = "begin anew from the built-in template, which `sherlock render` shows the work of";

/** Says what the HAProxy of this machine, or a template of one's own, does without: to the log, and to operators. */
export function tellWeaknesses(
  { proxy, rendered, runtimeSocket, percentiles, spans, explain }: Weak,
  { log, board }: { readonly log: Logger; readonly board: Pick<ProblemBoard, "set"> },
): void {
  const { binary, template } = proxy;
  const { text, features } = binary.version;
  const weaknesses: ReportedProblem[] = [];
  const lacks = lacksOf(features);
  if (lacks.length > 0) {
    const isWeak = !takesInstances(features);
    log[isWeak ? "warn" : "info"]("This HAProxy cannot do everything that 2.6 and 2.8 can", {
      version: text,
      it: lacks.join("; it "),
    });
    const remedy = "docs/operating.md has what each version does without; 2.6 and 2.8 do everything";
    if (isWeak) weaknesses.push({ subject: "HAProxy", message: `${text} ${lacks.join("; it ")}`, remedy });
  }
  if (template.path !== null) log.info("Using a template of your own", { path: template.path });
  const subject = `template ${template.path ?? ""}`;
  if (!runtimeSocket) {
    log.warn("Your template has no {{> runtime}}: every change is a reload", { template: template.path });
    weaknesses.push({ subject, message: "without {{> runtime}} every change is a reload", remedy: TEMPLATE_REMEDY });
  }
  if (percentiles && !tellsLatencies(rendered)) {
    log.warn("Your template has no `log {{percentiles.log}}`: there are no percentiles", { template: template.path });
    const message = "without `log {{percentiles.log}}` there are no percentiles";
    weaknesses.push({ subject, message, remedy: TEMPLATE_REMEDY });
  }
  if (spans && !tellsSpans(rendered)) {
    log.warn("Your template has no {{> spans}}: there are no spans of requests", { template: template.path });
    const message = "without {{> spans}} and `log {{spans.log}}` there are no spans of requests";
    weaknesses.push({ subject, message, remedy: TEMPLATE_REMEDY });
  }
  if (explain && !tellsReasons(proxy, rendered)) {
    log.warn("Your template has no {{> explain}}: no request is explained", { template: template.path });
    const message = "without {{> explain}}, and what {{> routing}} has for it, no request is explained";
    weaknesses.push({ subject, message, remedy: TEMPLATE_REMEDY });
  }
  board.set("weaknesses", weaknesses);
}
